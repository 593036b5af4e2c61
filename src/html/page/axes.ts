/** A box of a canvas that data are drawn in, with marks along its edges. */
import { type Colours, type Range, short } from "./samples.ts";

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Round numbers in a range, no more than `most` of them: 1, 2 or 5 times a power of ten apart. */
export function ticks({ low, high }: Range, most: number): number[] {
  const power = 10 ** Math.floor(Math.log10((high - low) / most));
  const apart = [1, 2, 5, 10].map((factor) => factor * power).find((step) => (high - low) / step <= most) as number;
  const all: number[] = [];
  for (let i = Math.ceil(low / apart); i * apart <= high; i++) all.push(i * apart);
  return all;
}

/** Lines and numbers of both axes, and their names; gives where a point of the data is. */
export function drawAxes(
  context: CanvasRenderingContext2D,
  { left, top, width, height }: Box,
  { x, y }: { readonly x: Range; readonly y: Range },
  names: { readonly x: string; readonly y: string },
  colours: Colours,
) {
  const across = (value: number) => left + ((value - x.low) / (x.high - x.low)) * width;
  const up = (value: number) => top + height - ((value - y.low) / (y.high - y.low)) * height;
  context.strokeStyle = colours.line;
  context.fillStyle = colours.soft;
  context.lineWidth = 1;
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const tick of ticks(x, Math.max(3, Math.floor(width / 90)))) {
    line(context, across(tick), top, across(tick), top + height);
    context.fillText(short(tick, x), across(tick), top + height + 6);
  }
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const tick of ticks(y, Math.max(3, Math.floor(height / 60)))) {
    line(context, left, up(tick), left + width, up(tick));
    context.fillText(short(tick, y), left - 6, up(tick));
  }
  context.strokeRect(left, top, width, height);
  context.fillStyle = colours.ink;
  context.textAlign = "right";
  context.textBaseline = "bottom";
  context.fillText(names.x, left + width - 4, top + height - 3, width / 2);
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillText(names.y, left + 5, top + 5, width / 2);
  return { across, up };
}

function line(context: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}

/** Room for the numbers beside an axis. */
export function widestLabel(context: CanvasRenderingContext2D, range: Range, most: number): number {
  return Math.ceil(Math.max(...ticks(range, most).map((tick) => context.measureText(short(tick, range)).width), 8));
}

/** The range and a little more, so that no point is on the edge. */
export function wider({ low, high }: Range, by = 0.04): Range {
  const more = (high - low) * by;
  return { low: low - more, high: high + more };
}
