/** What a product's call says (src/kernels/linear.ts, convolve.ts), as the ways to compute it read it. */
import { ALL } from "./variant";
import { Window } from "./window";

/** Addresses are in elements of 4 bytes. */
@unmanaged
export class LinearParameters {
  rows: u32;
  columns: u32;
  depth: u32;
  transposeLeft: u32;
  transposeRight: u32;
  biasRows: u32;
  groups: u32;
  sumsDepth: u32;
  left: u32;
  right: u32;
  bias: u32;
  out: u32;
  sums: u32;
}

// @ts-ignore: decorator
@inline
export function windowOf(p: LinearParameters): Window {
  return changetype<Window>(changetype<usize>(p) + offsetof<LinearParameters>());
}

/** Channels of the images that left is seen of; 0: it is a matrix. */
// @ts-ignore: decorator
@inline
export function channelsOf(p: LinearParameters): u32 {
  return ALL ? windowOf(p).channels : 0;
}

// @ts-ignore: decorator
@inline
export function groupsOf(p: LinearParameters): u32 {
  return max(1, p.groups);
}
