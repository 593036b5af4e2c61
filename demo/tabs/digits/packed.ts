/** Digits as they are shipped: 4 bits a pixel, 98 bytes a picture; then their labels, a byte each. */

/** Pixels along a side. */
export const SIDE = 14;
export const PIXELS = SIDE * SIDE;
const BYTES = PIXELS / 2;

export interface Digits {
  readonly count: number;
  /** [count, SIDE, SIDE], black -1, white 1. */
  readonly pixels: Float32Array;
  readonly labels: Uint8Array;
}

export function unpacked(bytes: Uint8Array): Digits {
  const count = bytes.length / (BYTES + 1);
  if (!Number.isInteger(count) || count === 0) {
    throw new Error(`The shipped digits are damaged: ${bytes.length} bytes are no whole number of pictures.`);
  }
  const pixels = Float32Array.from({ length: count * PIXELS }, (_, i) => {
    const both = bytes[i >> 1] as number;
    return (2 * (i % 2 === 0 ? both >> 4 : both & 15)) / 15 - 1;
  });
  return { count, pixels, labels: bytes.slice(count * BYTES) };
}
