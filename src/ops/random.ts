/** Random numbers as a function of seed, stream, counter and element: src/kernels/random.ts has the definition. */
import { ConfigError } from "../errors.ts";
import { type Node, type Shape, sameShape, sizeOf } from "../graph/node.ts";
import { defineOp, type HostTensor, type OpCases } from "../graph/op.ts";
import { expectDTypes } from "./elementwise.ts";
import { type RandomKind, randomBits, randomKinds, randomNumber } from "./threefry.ts";

export type { RandomKind } from "./threefry.ts";

export interface RandomAttributes {
  readonly kind: RandomKind;
  readonly shape: Shape;
  /** u32: draws from different streams are independent. */
  readonly stream: number;
  /** For "index": numbers are below it; else 0. */
  readonly bound: number;
}

/** The inputs are [seed, counter], u32 [2] and [1]. */
export const randomOp = defineOp<RandomAttributes>({
  name: "random",
  shape: ([seed, counter], { kind, shape, stream, bound }) => {
    if (!sameShape(seed as Shape, [2]) || !sameShape(counter as Shape, [1])) {
      throw new ConfigError({
        subject: "seed and counter of random",
        given: [seed, counter],
        expected: "shapes [2] and [1]",
        remedy: "Give u32 state of these shapes.",
      });
    }
    expectWord("stream of random", stream, 0);
    if (kind === "index") expectWord("bound of random", bound, 1);
    return shape;
  },
  dtype: (given, { kind }) =>
    expectDTypes("random", given, ["u32", "u32"], kind === "bits" || kind === "index" ? "u32" : "f32"),
  reference: ([seed, counter], { kind, stream, bound }, shape) => {
    const [low, high] = (seed as HostTensor).data;
    const bits = randomBits(
      [low as number, high as number],
      stream,
      (counter as HostTensor).data[0] as number,
      sizeOf(shape),
    );
    return { shape, data: Float64Array.from(bits, (word) => randomNumber(kind, word, bound)) };
  },
});

export const randomCases: OpCases<RandomAttributes> = () =>
  randomKinds.map((kind) => ({
    shapes: [[2], [1]],
    integers: { 0: [1, 2], 1: [3] },
    attributes: { kind, shape: [3, 5], stream: 4, bound: kind === "index" ? 10 : 0 },
  }));

function expectWord(subject: string, given: number, least: number): void {
  if (Number.isInteger(given) && given >= least && given < 2 ** 32) return;
  throw new ConfigError({
    subject,
    given,
    expected: `an integer from ${least} to 2^32 - 1`,
    remedy: "Choose another.",
  });
}

/**
 * Random numbers: equal seed, stream, counter and shape give equal numbers, on every backend.
 *
 * @param kind - "uniform" in [0, 1), "normal", "rademacher" (-1 or 1): f32; "bits", "index" (0 to bound - 1): u32.
 * @param options - seed: u32 [2]; counter: u32 [1], such as the step; stream: which of a step's draws this is.
 * @throws {@link ConfigError} when a shape does not fit, or stream or bound is no u32.
 */
export function random(
  kind: RandomKind,
  shape: Shape,
  { seed, counter, stream, bound = 0 }: { seed: Node; counter: Node; stream: number; bound?: number },
): Node {
  return randomOp([seed, counter], { kind, shape, stream, bound });
}
