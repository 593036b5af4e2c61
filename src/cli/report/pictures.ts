/** The report's pictures of data and models: a line's, a plane's, or of columns one and two at a time. */
import type { DataSource } from "../../index.ts";
import { axisOf, endsOf, markText } from "./axes.ts";
import { gradient } from "./colours.ts";
import { dataUri } from "./density.ts";
import { barsOfMarginal, distributionChart, outline } from "./distribution.ts";
import { escapeHtml, figureOf, type Key, legendOf } from "./html.ts";
import { counted } from "./numbers.ts";
import { MOST_COLUMNS, pairPictures, varyingColumns } from "./pairs.ts";
import { columnOf, type Range, type Rows, rangeOf } from "./rows.ts";
import type { Plane, View } from "./view.ts";

/** A model as pictures show it. */
export interface Portrait extends Key {
  /** On the view's grid, where there is one. */
  readonly density?: ArrayLike<number>;
  /** Row-major [count, dimension], in data units. */
  readonly samples: Float32Array | Float64Array;
}

const dataKey: Key = { title: "data", style: "data" };

/** One coordinate: the data's histogram under the densities. */
export function linePicture(view: View, data: DataSource, rows: Rows, portraits: readonly Portrait[]): string {
  const range = view.ranges[0] as Range;
  const exact = data.logDensity ? [{ title: "data's exact density", style: "exact", density: view.exact }] : [];
  const drawn = [...exact, ...portraits].flatMap(({ style, density }) =>
    density ? [{ style, points: Array.from(view.grid, (x, i) => [x, density[i] as number] as const) }] : [],
  );
  const chart = distributionChart({
    name: rows.columns[0] as string,
    range,
    values: columnOf(rows, 0),
    lines: drawn,
    large: true,
  });
  const note = `bars: ${describeRows(rows)}; lines: densities, exact for the models`;
  return `<div class="row pictures">${figureOf("Density", note, [dataKey, ...exact, ...portraits], chart)}</div>`;
}

/** Two coordinates: the truth and the models' densities side by side, on one scale, and what its colours mean. */
export function planePictures(view: View, plane: Plane, rows: Rows, portraits: readonly Portrait[]): string {
  const frame = (uri: string, title: string, note: string, style = "") => {
    const [x, y] = [0, 1].map((i) => axisOf(rows.columns[i] as string, view.ranges[i] as Range));
    const [across, up] = [x, y].map((axis, i) => endsOf(view.ranges[i] as Range, axis as NonNullable<typeof axis>));
    // A long name has a line of its own: between the ends it would push one of them off.
    const ends = (place: string, [low, high]: readonly [string, string], name: string) =>
      `<span class="ends ${place}${name.length > 8 ? " long" : ""}"><span>${low}</span>` +
      `<span>${escapeHtml(name)}</span><span>${high}</span></span>`;
    return (
      `<figure class="card"><figcaption><span class="${style}">${escapeHtml(title)}</span><small>${escapeHtml(note)}</small></figcaption>` +
      `<div class="plane">${ends("up", up as [string, string], y?.name ?? "")}<img src="${uri}" alt="${escapeHtml(`Density: ${title}`)}">` +
      `${ends("across", across as [string, string], x?.name ?? "")}</div></figure>`
    );
  };
  const truth = frame(dataUri(plane.truth, plane.size), rows.drawn ? "Ground truth" : "Data", plane.truthNote);
  const models = portraits.flatMap(({ title, style, density }) =>
    density ? [frame(dataUri(plane.pixels(density), plane.size), title, "exact, of the trained model", style)] : [],
  );
  return `<div class="row pictures">${[truth, ...models].join("")}</div>${colourBar(plane.brightest, rows)}`;
}

function colourBar(brightest: number, { columns: [x, y] }: Rows): string {
  const unit = escapeHtml(`probability per unit of ${x} × unit of ${y}`);
  return (
    `<div class="colours"><span>0</span><span class="bar" style="background: ${gradient}"></span>` +
    `<span>${markText(Number(brightest.toPrecision(2)))} and above</span><small>density: ${unit}</small></div>`
  );
}

/** More coordinates: histograms of each, and pictures of every two. */
export function columnPictures(rows: Rows, portraits: readonly Portrait[]): string {
  const varying = varyingColumns(rows);
  const columns = varying.slice(0, MOST_COLUMNS);
  if (columns.length === 0) return "";
  const ranges = new Map(columns.map((column) => [column, rangeOf(columnOf(rows, column))]));
  const rangeAt = (column: number) => ranges.get(column) as Range;
  const nameAt = (column: number) => rows.columns[column] as string;
  const keys = [dataKey, ...portraits];

  const marginals = columns.map((column) => {
    const range = rangeAt(column);
    const lines = portraits.map(({ style, samples }) => {
      const values = columnOf({ values: samples, dimension: rows.dimension }, column);
      return { style, points: outline(values, range, barsOfMarginal(rows.count)) };
    });
    const chart = distributionChart({ name: nameAt(column), range, values: columnOf(rows, column), lines });
    return `<figure class="card">${chart}</figure>`;
  });

  const sets = [rows, ...portraits.map(({ samples }) => ({ values: samples, dimension: rows.dimension }))];
  const pairs = columns.flatMap((x, i) =>
    columns.slice(i + 1).map((y) => {
      const pictures = pairPictures(sets, [x, y], [rangeAt(x), rangeAt(y)]);
      const title = `${nameAt(x)} and ${nameAt(y)}`;
      const tiles = pictures.map((uri, number) => {
        const { title: name, style } = keys[number] as Key;
        const words = escapeHtml(`${title}: ${name}`);
        return `<span class="tile"><img src="${uri}" alt="${words}"><small class="${style}">${escapeHtml(name)}</small></span>`;
      });
      const axes = [x, y].map((column) => axisOf(nameAt(column), rangeAt(column)));
      const spans = [x, y].map((column, number) => {
        const axis = axes[number] as NonNullable<(typeof axes)[number]>;
        return `${number === 0 ? "across" : "up"}: ${axis.name}, ${endsOf(rangeAt(column), axis).join(" to ")}`;
      });
      return (
        `<figure class="card"><div class="tiles">${tiles.join("")}</div>` +
        `<small>${spans.map(escapeHtml).join("<br>")}</small></figure>`
      );
    }),
  );
  const left = varying.length - columns.length;
  const more = left > 0 ? ` The first ${columns.length} of ${varying.length} columns.` : "";
  const constant = rows.dimension - varying.length;
  const without = constant > 0 ? ` Without ${counted(constant, "constant column")}.` : "";
  const words = `Bars: ${describeRows(rows)}; lines: samples of the models.${more}${without}`;
  return (
    `<h2>Columns</h2><p>${words} ${legendOf(keys)}</p><div class="row small-multiples">${marginals.join("")}</div>` +
    (pairs.length > 0
      ? `<h2>Pairs of columns</h2><p>Where the rows lie, beside samples of the models: brighter is denser, one scale to a pair.</p>` +
        `<div class="row pairs">${pairs.join("")}</div>`
      : "")
  );
}

function describeRows({ count, drawn }: Rows): string {
  return drawn ? `${counted(count, "point")} drawn from the data` : `the data's ${counted(count, "row")}`;
}
