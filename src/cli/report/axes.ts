/** Marks along axes, and what is written at them. */
import { within } from "./numbers.ts";
import type { Range } from "./rows.ts";

/** Lines from mark to mark that make a readable axis. */
const MARKS = 5;

/** Round numbers inside [low, high], about `count` of them, 1, 2 or 5 times a power of ten apart. */
export function marks(low: number, high: number, count = MARKS): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const distance = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / distance);
  const length = Math.floor(high / distance) - first + 1;
  // Products, not sums, and rounded: 3 * 0.1 would be written 0.30000000000000004.
  return Array.from({ length }, (_, i) => Number(((first + i) * distance).toPrecision(12)));
}

/** How an axis is named, and what it is written from: far from 0 and narrow, its numbers are differences from `base`. */
export interface Axis {
  readonly name: string;
  readonly base: number;
}

/** So many times its span from 0, an axis is written as differences. */
const FAR = 1000;

export function axisOf(name: string, { low, high }: Range): Axis {
  const span = high - low;
  const middle = (low + high) / 2;
  if (Math.abs(middle) < FAR * span) return { name, base: 0 };
  const unit = 10 ** Math.ceil(Math.log10(span));
  const base = Math.round(middle / unit) * unit;
  return {
    name: `${name} ${base > 0 ? "−" : "+"} ${Math.abs(base).toLocaleString("en", { maximumFractionDigits: 12 })}`,
    base,
  };
}

/** A short number: as it is, or with an exponent where that is shorter. */
export function markText(value: number): string {
  const rounded = Number(value.toPrecision(6));
  const plain = String(rounded);
  return (plain.length > 7 ? rounded.toExponential().replace("e+", "e") : plain).replace("-", "−");
}

/** The ends of an axis, in words: "−4.9" and "4.9". */
export function endsOf({ low, high }: Range, { base }: Axis): readonly [string, string] {
  const text = (value: number) => within(value - base, (high - low) * 10).replace("-", "−");
  return [text(low), text(high)];
}
