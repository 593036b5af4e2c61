/** What moves elements and computes nothing, and what the graph holds itself. */
import { stridesOf, walk } from "../ops/strides.ts";
import { numberAt, numbersAt, type PlainNumber, type PlainNumbers, type Size } from "../trace/plain.ts";
import { isFixed, sameSize, sameSizes } from "./sizes.ts";
import {
  type Held,
  noOperator,
  type OpenNode,
  type Result,
  type Rules,
  type Translation,
  type Value,
} from "./translation.ts";

export const movingRules: Rules = {
  constant: (node, translation) => number(node, translation, node.attributes["value"] as PlainNumber),

  table: (node, translation) => {
    const given = node.attributes["values"] as PlainNumbers;
    if (!Array.isArray(given) && "fill" in given) return number(node, translation, given.fill);
    const values = numbersAt(given, 0);
    if (!values || !node.shape.every(isFixed)) throw noOperator(node, "numbers that depend on the number of rows");
    const held = node.dtype === "f32" ? Float32Array.from(values) : BigInt64Array.from(values, BigInt);
    return heldResult({ stem: "table", shape: node.shape, values: held });
  },

  broadcast: ({ inputs: [x] }) => (x as Value).result,

  reshape: (node, translation) => {
    return reshaped(translation.whole(node.inputs[0] as Value), node.shape, translation);
  },

  transpose: (node, translation) => {
    const x = node.inputs[0] as Value;
    const permutation = node.attributes["permutation"] as readonly number[];
    return transposed(translation.whole(x), permutation, translation);
  },

  concat: (node, translation) => {
    const inputs = node.inputs.map((input) => translation.full(input));
    return translation.made(node, "Concat", inputs, { axis: { int: node.attributes["axis"] as number } });
  },

  slice: (node, translation) => {
    const { axis, start, end } = node.attributes as { readonly axis: number; readonly start: Size; readonly end: Size };
    const { builder } = translation;
    const x = node.inputs[0] as Value;
    const to = sameSize(end, x.shape[axis] as Size) ? builder.end() : builder.sizes([end]);
    return translation.made(node, "Slice", [translation.full(x), builder.sizes([start]), to, builder.integers([axis])]);
  },
};

/** One number in all elements, which may be 1 over a number of rows. */
function number(node: OpenNode, { builder }: Translation, given: PlainNumber): Result {
  if (typeof given === "object" && !isFixed(given.over)) {
    const size = builder.operation("Cast", [builder.sizes([given.over])], { to: { int: 1 } });
    return { shape: [1], from: builder.operation("Reciprocal", [size]) };
  }
  const value = numberAt(given, 0) as number;
  return { shape: [], from: node.dtype === "f32" ? builder.scalar(value) : builder.integerScalar(value) };
}

/** The same elements under another shape: of what was reshaped, not reshaped once more. */
export function reshaped(value: Result, shape: readonly Size[], { builder }: Translation): Result {
  const source = value.reshapedFrom ?? value;
  if (sameSizes(source.shape, shape)) return source;
  if (typeof source.from !== "string") return heldResult({ ...source.from, shape: shape.filter(isFixed) });
  // One size may be left to the operator: with one that depends on the rows, the others are numbers.
  const open = shape.filter((size) => !isFixed(size)).length;
  const sizes = open > 1 ? builder.sizes(shape) : builder.integers(shape.map((size) => (isFixed(size) ? size : -1)));
  return { from: builder.operation("Reshape", [source.from, sizes]), shape, reshapedFrom: source };
}

export function heldResult(held: Held): Result {
  return { from: held, shape: held.shape };
}

/** The value with its axes in another order; numbers on the host are moved there. */
export function transposed(value: Result, permutation: readonly number[], { builder }: Translation): Result {
  if (typeof value.from !== "string") return heldResult(heldTransposed(value.from, permutation));
  const perm = { perm: { ints: permutation } };
  const shape = permutation.map((axis) => value.shape[axis] as Size);
  return { from: builder.operation("Transpose", [value.from], perm), shape };
}

function heldTransposed({ stem, shape, values }: Held, permutation: readonly number[]): Held {
  const strides = stridesOf(shape);
  const result = values.slice();
  const to = permutation.map((axis) => shape[axis] as number);
  walk(
    to,
    permutation.map((axis) => strides[axis] as number),
    (place, from) => {
      result[place] = values[from] as never;
    },
  );
  return { stem, shape: to, values: result };
}
