/** One scale for both pictures, so that equal colours are equal numbers. */
import type { MapKind, Side, Slice } from "../messages.ts";

/** What the colours of a map mean. */
export interface Scale {
  readonly kind: "density" | "signed";
  readonly range: readonly [low: number, high: number];
  what(titles: Readonly<Record<Side, string>>): string;
  readonly unit: string;
}

/** Shares of the values that a scale leaves beyond its ends: a peak or an edge should not dim all else. */
const BEYOND = 0.01;

export function scaleOf(map: MapKind, slices: readonly (Slice | undefined)[]): Scale | undefined {
  const values = slices.flatMap((slice) => (slice?.map?.kind === map ? [slice.map.values] : []));
  if (map === "none" || values.length === 0) return undefined;
  const most = high(values);
  if (map === "density") {
    return { kind: "density", range: [0, most], what: () => "density the model gives", unit: "per area" };
  }
  const signed = { kind: "signed", range: [-most, most] } as const;
  if (map === "divergence-error") {
    return { ...signed, what: () => "blue gathers too much, orange spreads too much", unit: "per unit of time" };
  }
  if (map === "difference") {
    return {
      ...signed,
      what: ({ left, right }) => `blue: more in ${left}; orange: more in ${right}`,
      unit: "per area",
    };
  }
  return { ...signed, what: () => "blue: too little; orange: too much", unit: "per area" };
}

function high(all: readonly Float32Array[]): number {
  const count = all.reduce((sum, { length }) => sum + length, 0);
  const sizes = new Float32Array(count); // sorts as numbers, in a moment
  let at = 0;
  for (const values of all) for (const value of values) sizes[at++] = Math.abs(value);
  sizes.sort();
  return Math.max(1e-6, sizes[Math.floor((1 - BEYOND) * (sizes.length - 1))] ?? 0);
}

/** Right less left, in place of each: blue is more in the left one, orange more in the right one. */
export function differenceOf(left: Slice | undefined, right: Slice | undefined): Slice | undefined {
  const [a, b] = [left?.map, right?.map];
  if (!left || a?.kind !== "difference" || b?.kind !== "difference" || a.size !== b.size || left.t !== right?.t)
    return undefined;
  return { ...left, map: { ...a, values: b.values.map((value, i) => value - (a.values[i] as number)) } };
}
