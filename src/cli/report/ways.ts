/** Pictures of ways through the plane: where points begin, how they go, where they end. */
import { figureOf } from "./html.ts";
import type { Range } from "./rows.ts";

export interface WaysPicture {
  readonly title: string;
  /** Class of its colour. */
  readonly style: string;
  readonly note: string;
  /** Row-major [times, count, 2], times ascending. */
  readonly ways: ArrayLike<number>;
  readonly count: number;
}

const WIDTH = 300;

/** One picture of the ways in a plane: lines in the colour of the style, rings at their starts, dots at their ends. */
export function waysPicture({ title, style, note, ways, count }: WaysPicture, [x, y]: readonly [Range, Range]): string {
  const times = ways.length / (2 * count);
  const scale = WIDTH / (x.high - x.low);
  const height = scale * (y.high - y.low);
  const at = (time: number, row: number): readonly [string, string] => {
    const place = 2 * (time * count + row);
    return [
      (scale * ((ways[place] as number) - x.low)).toFixed(1),
      (scale * (y.high - (ways[place + 1] as number))).toFixed(1),
    ];
  };
  const rows = Array.from({ length: count }, (_, row) => row);
  const lines = rows.map((row) => `M${Array.from({ length: times }, (_, time) => at(time, row).join(" ")).join("L")}`);
  const rings = rows.map((row) => {
    const [cx, cy] = at(0, row);
    return `<circle cx="${cx}" cy="${cy}" r="2.6" fill="none" stroke="currentColor"/>`;
  });
  const dots = rows.map((row) => {
    const [cx, cy] = at(times - 1, row);
    return `<circle cx="${cx}" cy="${cy}" r="2.6" fill="currentColor"/>`;
  });
  const picture =
    `<svg viewBox="0 0 ${WIDTH} ${height.toFixed(1)}" role="img" aria-label="Ways of ${count} points: ${title}" class="${style}">` +
    `<path d="${lines.join("")}" fill="none" stroke="currentColor" stroke-width="1" opacity="0.55"/>${rings.join("")}${dots.join("")}</svg>`;
  return figureOf(title, note, [], picture);
}
