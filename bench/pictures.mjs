/** Panels of points and of their ways, side by side, as an SVG that reads on light and on dark pages. */

/**
 * @typedef {object} Panel
 * @property {string} title
 * @property {ArrayLike<number>} points - row-major [count, 2]: dots.
 * @property {{ readonly times: readonly number[], readonly values: ArrayLike<number> }} [trajectory] - `values`
 *   [times, count, 2]: a line for each point.
 */

const SIDE = 170;
const GAP = 10;
const CAPTION = 22;

/**
 * @param {readonly Panel[]} panels
 * @param {object} options
 * @param {number} options.extent - each panel shows [-extent, extent] in both directions; what is beyond is cut off.
 * @param {number} [options.dots] - how many points of a panel are drawn, at most.
 * @param {number} [options.lines] - how many of its ways.
 * @returns {string}
 */
export function panelsSvg(panels, { extent, dots = 500, lines = 60 }) {
  const width = panels.length * (SIDE + GAP) - GAP;
  const parts = panels.map((panel, i) => panelSvg(panel, i * (SIDE + GAP), extent, dots, lines));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${SIDE + CAPTION}" width="${width}" height="${SIDE + CAPTION}">`,
    `<title>${panels.map(({ title }) => title).join("; ")}</title>`,
    "<style>text{font:12px system-ui,sans-serif;fill:#57606a}rect{fill:#fff;stroke:#d0d7de}.l{fill:none;stroke:#0969da;stroke-width:.6;stroke-opacity:.45}.d{fill:none;stroke:#1f2328;stroke-width:1.6;stroke-linecap:round;stroke-opacity:.7}</style>",
    ...parts,
    "</svg>\n",
  ].join("\n");
}

/** @param {Panel} panel @param {number} left @param {number} extent @param {number} dots @param {number} lines */
function panelSvg({ title, points, trajectory }, left, extent, dots, lines) {
  const place = (/** @type {number} */ x, /** @type {number} */ y) =>
    `${(((x + extent) / (2 * extent)) * SIDE).toFixed(1)} ${(((extent - y) / (2 * extent)) * SIDE).toFixed(1)}`;
  const count = Math.min(dots, points.length / 2);
  const dotted = Array.from({ length: count }, (_, i) => `M${place(points[2 * i], points[2 * i + 1])}h0`).join("");
  let ways = "";
  if (trajectory) {
    const { times, values } = trajectory;
    const all = values.length / times.length;
    for (let i = 0; i < Math.min(lines, all / 2); i++) {
      const way = times.map((_, k) => place(values[k * all + 2 * i], values[k * all + 2 * i + 1]));
      ways += `M${way.join("L")}`;
    }
  }
  const id = `c${left}`;
  return [
    `<g transform="translate(${left} 0)"><title>${title}</title><clipPath id="${id}"><rect width="${SIDE}" height="${SIDE}"/></clipPath>`,
    `<rect x=".5" y=".5" width="${SIDE - 1}" height="${SIDE - 1}"/><g clip-path="url(#${id})"><path class="l" d="${ways}"/><path class="d" d="${dotted}"/></g>`,
    `<text x="${SIDE / 2}" y="${SIDE + 16}" text-anchor="middle">${title}</text></g>`,
  ].join("");
}
