/**
 * Elementwise chains four elements at a time: an invocation's loads, steps and stores are of vec4. The text of the
 * functions is the same as for single elements, with vectors' types in place of scalars'.
 */
import type { RegionChain } from "./chain-source.ts";
import { isHalf } from "./dispatch.ts";

/**
 * The same chain over quads, offsets, divisors and moduli counted in quads; undefined where an operand is neither whole
 * quads nor one element for each, or lies in f16.
 */
export function quadChain({ count, loads, steps, stores }: RegionChain): RegionChain | undefined {
  if (steps.some(({ random }) => random)) return undefined;
  if ([...loads, ...stores].some(({ placement }) => isHalf(placement.region))) return undefined;
  const byQuads = loads.map((load) => {
    const { placement, divisor, modulus, stride = 1, terms } = load;
    if (terms) return termsInQuads(load);
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

/** A load of several terms, of which each step of the first is a quad or one element for each. */
function termsInQuads(load: RegionChain["loads"][number]): RegionChain["loads"][number] | undefined {
  const { placement, divisor, modulus, stride = 1, terms = [] } = load;
  const each = (scale: number) =>
    terms.map((term) => ({ ...term, divisor: term.divisor / 4, stride: term.stride / scale }));
  if (divisor % 4 === 0) return { ...load, divisor: divisor / 4, terms: each(1), single: true };
  const wholes = [placement.offset, modulus, ...terms.map((term) => term.stride)];
  if (divisor !== 1 || stride !== 1 || wholes.some((size) => size % 4 !== 0)) return undefined;
  return { ...load, placement: inQuads(placement), modulus: modulus / 4, terms: each(4) };
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
