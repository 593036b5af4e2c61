/** What cases of chains are put together from: numbers, operands, loads. */
import { HostRandom } from "../../src/ops/threefry.ts";
import type { ElementwiseChain, ElementwiseOperand, Placement } from "../../src/schedule/program.ts";

const draws = new HostRandom(20_260_103);
let drawn = 0;
/** Other numbers at each call, the same in each run. */
export const normals = (count: number) => draws.normal(count, drawn++);

export const step = (index: number): ElementwiseOperand => ({ from: "step", index });
export const loaded = (index: number): ElementwiseOperand => ({ from: "load", index });
export const immediate = (value: number): ElementwiseOperand => ({ from: "constant", value });

/** Column `column` of the rows of `width` elements in a placement. */
export function columnOf(whole: Placement, column: number, width: number): Placement {
  const count = whole.length / width;
  return { ...whole, offset: whole.offset + column, length: (count - 1) * width + 1 };
}

export function columnLoad(whole: Placement, column: number, width: number, dtype: "f32" | "u32" = "f32") {
  return {
    placement: columnOf(whole, column, width),
    divisor: 1,
    modulus: whole.length / width,
    stride: width,
    dtype,
  };
}

export function inOrder(placement: Placement): ElementwiseChain["loads"][number] {
  return { placement, divisor: 1, modulus: placement.length, dtype: "f32" };
}
