/**
 * Elementwise chains four elements at a time: an invocation's loads, steps and stores are of vec4. The text of the
 * functions is the same as for single elements, with vectors' types in place of scalars'.
 */
import type { RegionChain } from "./chain-source.ts";

/**
 * The same chain over quads, offsets, divisors and moduli counted in quads; undefined where an operand is neither whole
 * quads nor one element for each.
 */
export function quadChain({ count, loads, steps, stores }: RegionChain): RegionChain | undefined {
  if (steps.some(({ random }) => random)) return undefined;
  const byQuads = loads.map((load) => {
    const { placement, divisor, modulus, stride = 1 } = load;
    if (modulus === 1) return { ...load, single: true };
    if (divisor % 4 === 0) return { ...load, divisor: divisor / 4, single: true };
    const whole = stride === 1 && divisor === 1 && placement.offset % 4 === 0;
    if (!whole || (modulus < count && modulus % 4 !== 0)) return undefined;
    return { ...load, placement: inQuads(placement), modulus: Math.ceil(modulus / 4) };
  });
  const kept = stores.map((store) => {
    const { placement, stride = 1 } = store;
    return stride === 1 && placement.offset % 4 === 0 ? { ...store, placement: inQuads(placement) } : undefined;
  });
  if (!byQuads.every((load) => load !== undefined) || !kept.every((store) => store !== undefined)) return undefined;
  return { count: Math.ceil(count / 4), loads: byQuads, steps, stores: kept, masked: count % 4 !== 0 };
}

function inQuads<Place extends { readonly offset: number }>(placement: Place): Place {
  return { ...placement, offset: placement.offset / 4 };
}

/** WGSL on scalars as WGSL on vectors of four: types, and literals, which only arithmetic would take as they are. */
export function onQuads(code: string): string {
  return code
    .replace(/\b([fui])32\b/g, "vec4$1")
    .replace(/\bbool\b/g, "vec4<bool>")
    .replace(/(?<![\w.])(?:0x[\da-f]+|\d+(?:\.\d+)?(?:e[+-]?\d+)?)[fu]?(?![\w.])/gi, "vec4($&)");
}
