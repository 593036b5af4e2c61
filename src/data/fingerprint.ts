import { MURMUR_SEEDS, Murmur } from "../graph/murmur.ts";

/** Values that are widened at once. */
const CHUNK = 4096;

/** What the fingerprints of this form begin with; those of files before this form have no such word. */
const FORM = "f64:";

type Values = Float32Array | Float64Array;

/**
 * 64 bits that tell data sets apart, as "f64:" and 16 hexadecimal digits: a hash of the f64 values' bits, equal on every
 * platform and for equal numbers in a Float32Array. Against mistakes, not against people who want a collision.
 */
export function fingerprint(values: Values): string {
  return FORM + hashOf(values, Float64Array);
}

/** Whether a checkpoint's fingerprint is that of these values; one of an old file, of the values rounded to f32. */
export function hasFingerprint(values: Values, stored: unknown): boolean {
  if (typeof stored !== "string") return false;
  return stored === (stored.startsWith(FORM) ? fingerprint(values) : hashOf(values, Float32Array));
}

function hashOf(values: Values, form: Float32ArrayConstructor | Float64ArrayConstructor): string {
  const lanes = MURMUR_SEEDS.map((seed) => new Murmur(seed));
  for (let from = 0; from < values.length; from += CHUNK) {
    const words = new Uint32Array(new form(values.subarray(from, from + CHUNK)).buffer);
    for (const lane of lanes) lane.take(words);
  }
  return lanes.map((lane) => lane.hash().toString(16).padStart(8, "0")).join("");
}
