/** Ops that move elements and compute nothing; all take f32 and u32. */
import { ConfigError } from "../errors.ts";
import { type DType, type Node, type Shape, sameShape, sizeOf } from "../graph/node.ts";
import { defineOp, type HostTensor, type OpCases } from "../graph/op.ts";
import { sum } from "./reduce.ts";
import { constant, constantOp, constantValue } from "./sources.ts";
import { stridesOf, walk } from "./strides.ts";

const sameDType = ([dtype]: readonly DType[]): DType => dtype as DType;

export interface ShapeAttributes {
  readonly shape: Shape;
}

export const reshapeOp = defineOp<ShapeAttributes>({
  name: "reshape",
  shape: ([from], { shape }) => {
    if (sizeOf(from as Shape) === sizeOf(shape)) return shape;
    throw new ConfigError({
      subject: "reshape",
      given: shape,
      expected: `${sizeOf(from as Shape)} elements, as in [${(from as Shape).join(", ")}]`,
      remedy: "A reshape keeps every element.",
    });
  },
  dtype: sameDType,
  jvp: ({ shape }, [dx]) => dx && reshape(dx, shape),
  vjp: ({ inputs: [x] }, cotangent) => [reshape(cotangent, (x as Node).shape)],
  reference: ([x], _attributes, shape) => ({ shape, data: (x as HostTensor).data }),
});

export const reshapeCases: OpCases<ShapeAttributes> = () => [
  { shapes: [[2, 6]], attributes: { shape: [3, 4] } },
  { shapes: [[1]], attributes: { shape: [] } },
  { shapes: [[2, 3]], attributes: { shape: [6] } },
];

/**
 * The same elements in the same order, under another shape. A reshape of a reshape stays both: what lies between may be a
 * variable, which derivatives must find on the way.
 */
export function reshape(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  const value = constantValue(x);
  if (value !== undefined && sizeOf(x.shape) === sizeOf(shape)) return constantOp([], { value, shape, dtype: x.dtype });
  return reshapeOp([x], { shape });
}

export const broadcastOp = defineOp<ShapeAttributes>({
  name: "broadcast",
  shape: ([from], { shape }) => {
    const small = from as Shape;
    const offset = shape.length - small.length;
    if (offset >= 0 && small.every((size, axis) => size === 1 || size === shape[axis + offset])) return shape;
    throw new ConfigError({
      subject: "broadcast",
      given: small,
      expected: `axes that are 1 or as in [${shape.join(", ")}], aligned from the right`,
      remedy: "Reshape it first.",
    });
  },
  dtype: sameDType,
  jvp: ({ shape }, [dx]) => dx && broadcast(dx, shape),
  vjp: ({ inputs: [x], shape }, cotangent) => {
    const small = (x as Node).shape;
    const offset = shape.length - small.length;
    const axes = [...shape.keys()].filter((axis) => shape[axis] !== 1 && (small[axis - offset] ?? 1) === 1);
    return [reshape(sum(cotangent, axes), small)];
  },
  reference: ([x], _attributes, shape) => {
    const { data, shape: small } = x as HostTensor;
    const offset = shape.length - small.length;
    const strides = stridesOf(small);
    const result = new Float64Array(sizeOf(shape));
    const steps = shape.map((_, axis) => ((small[axis - offset] ?? 1) === 1 ? 0 : (strides[axis - offset] as number)));
    walk(shape, steps, (to, from) => {
      result[to] = data[from] as number;
    });
    return { shape, data: result };
  },
});

export const broadcastCases: OpCases<ShapeAttributes> = () => [
  { shapes: [[3]], attributes: { shape: [2, 3] } },
  { shapes: [[2, 1]], attributes: { shape: [2, 3] } },
  { shapes: [[]], attributes: { shape: [2, 3] } },
  { shapes: [[2, 1, 3]], attributes: { shape: [4, 2, 5, 3] } },
];

/** Repeats `x` along new outer axes and along axes of size 1, to `shape`. */
export function broadcast(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  const value = constantValue(x);
  const node = broadcastOp([x], { shape }); // checks the shapes
  return value === undefined ? node : constantOp([], { value, shape, dtype: x.dtype });
}

export interface TransposeAttributes {
  /** Axis k of the result is axis permutation[k] of the input. */
  readonly permutation: readonly number[];
}

export const transposeOp = defineOp<TransposeAttributes>({
  name: "transpose",
  shape: ([from], { permutation }) => {
    const shape = from as Shape;
    const valid = permutation.length === shape.length && shape.every((_, axis) => permutation.includes(axis));
    if (valid) return permutation.map((axis) => shape[axis] as number);
    throw new ConfigError({
      subject: "permutation of transpose",
      given: permutation,
      expected: `each axis of [${shape.join(", ")}] once`,
      remedy: "Axes count from 0, outermost first.",
    });
  },
  dtype: sameDType,
  jvp: ({ attributes: { permutation } }, [dx]) => dx && transpose(dx, permutation),
  vjp: ({ attributes: { permutation } }, cotangent) => [
    transpose(
      cotangent,
      permutation.map((_, axis) => permutation.indexOf(axis)),
    ),
  ],
  reference: ([x], { permutation }, shape) => {
    const { data, shape: from } = x as HostTensor;
    const strides = stridesOf(from);
    const result = new Float64Array(data.length);
    const steps = permutation.map((axis) => strides[axis] as number);
    walk(shape, steps, (to, source) => {
      result[to] = data[source] as number;
    });
    return { shape, data: result };
  },
});

export const transposeCases: OpCases<TransposeAttributes> = () => [
  { shapes: [[2, 3]], attributes: { permutation: [1, 0] } },
  { shapes: [[2, 3, 4]], attributes: { permutation: [2, 0, 1] } },
];

/** Axis k of the result is axis permutation[k] of `x`. */
export function transpose(x: Node, permutation: readonly number[]): Node {
  return transposeOp([x], { permutation });
}

export interface ConcatAttributes {
  readonly axis: number;
}

export const concatOp = defineOp<ConcatAttributes>({
  name: "concat",
  shape: (shapes, { axis }) => {
    const [first] = shapes;
    const fits = (shape: Shape) =>
      shape.length === first?.length && shape.every((size, k) => k === axis || size === first[k]);
    if (first !== undefined && axis in first && shapes.every(fits)) {
      const total = shapes.reduce((size, shape) => size + (shape[axis] as number), 0);
      return first.map((size, k) => (k === axis ? total : size));
    }
    throw new ConfigError({
      subject: `inputs of concat along axis ${axis}`,
      given: shapes,
      expected: "shapes that differ in that axis only",
      remedy: "Broadcast or reshape them first.",
    });
  },
  dtype: (dtypes) => {
    if (dtypes.every((dtype) => dtype === dtypes[0])) return sameDType(dtypes);
    throw new ConfigError({
      subject: "element types of concat",
      given: dtypes,
      expected: "one type",
      remedy: "Turn u32 into f32 with toFloat.",
    });
  },
  jvp: ({ inputs, attributes: { axis } }, tangents) => {
    if (tangents.every((tangent) => tangent === undefined)) return undefined;
    return concat(
      inputs.map((input, i) => tangents[i] ?? constant(0, input.shape)),
      axis,
    );
  },
  vjp: ({ inputs, attributes: { axis } }, cotangent) => {
    let end = 0;
    return inputs.map((input) => {
      const start = end;
      end += input.shape[axis] as number;
      return slice(cotangent, axis, start, end);
    });
  },
  reference: (inputs, { axis }, shape) => {
    const data = new Float64Array(sizeOf(shape));
    const inner = sizeOf(shape.slice(axis));
    let start = 0;
    for (const input of inputs) {
      const width = sizeOf(input.shape.slice(axis));
      for (let row = 0; row * width < input.data.length; row++) {
        data.set(input.data.subarray(row * width, (row + 1) * width), row * inner + start);
      }
      start += width;
    }
    return { shape, data };
  },
});

export const concatCases: OpCases<ConcatAttributes> = () => [
  {
    shapes: [
      [2, 3],
      [4, 3],
    ],
    attributes: { axis: 0 },
  },
  {
    shapes: [
      [2, 3],
      [2, 1],
      [2, 2],
    ],
    attributes: { axis: 1 },
  },
  {
    shapes: [
      [2, 3, 2],
      [2, 1, 2],
    ],
    attributes: { axis: 1 },
  },
];

/** The nodes one after another along `axis`. */
export function concat(nodes: readonly Node[], axis: number): Node {
  return nodes.length === 1 ? (nodes[0] as Node) : concatOp(nodes, { axis });
}

export interface SliceAttributes {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
}

export const sliceOp = defineOp<SliceAttributes>({
  name: "slice",
  shape: ([from], { axis, start, end }) => {
    const shape = from as Shape;
    const size = shape[axis] ?? 0;
    const valid = Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start < end && end <= size;
    if (valid) return shape.map((full, k) => (k === axis ? end - start : full));
    throw new ConfigError({
      subject: `slice along axis ${axis}`,
      given: [start, end],
      expected: `0 <= start < end <= ${size}`,
      remedy: `The shape is [${shape.join(", ")}].`,
    });
  },
  dtype: sameDType,
  jvp: ({ attributes: { axis, start, end } }, [dx]) => dx && slice(dx, axis, start, end),
  vjp: ({ inputs: [x], attributes: { axis, start, end } }, cotangent) => [
    pad(cotangent, axis, start, ((x as Node).shape[axis] as number) - end),
  ],
  reference: ([x], { axis, start }, shape) => {
    const { data, shape: from } = x as HostTensor;
    const result = new Float64Array(sizeOf(shape));
    const inner = sizeOf(shape.slice(axis));
    const outer = sizeOf(from.slice(axis));
    const first = start * sizeOf(from.slice(axis + 1));
    for (let row = 0; row * inner < result.length; row++) {
      result.set(data.subarray(row * outer + first, row * outer + first + inner), row * inner);
    }
    return { shape, data: result };
  },
});

export const sliceCases: OpCases<SliceAttributes> = () => [
  { shapes: [[5, 3]], attributes: { axis: 0, start: 1, end: 4 } },
  { shapes: [[2, 5]], attributes: { axis: 1, start: 0, end: 2 } },
  { shapes: [[2, 5, 2]], attributes: { axis: 1, start: 4, end: 5 } },
];

/** Elements `start` to `end` (not included) along `axis`. */
export function slice(x: Node, axis: number, start: number, end: number): Node {
  if (start === 0 && end === x.shape[axis]) return x;
  const node = sliceOp([x], { axis, start, end });
  const value = constantValue(x);
  return value === undefined ? node : constantOp([], { value, shape: node.shape, dtype: x.dtype });
}

/** `x` with that many zeros before and after it along `axis`. */
export function pad(x: Node, axis: number, before: number, after: number): Node {
  const zeros = (count: number) =>
    count > 0
      ? [
          constant(
            0,
            x.shape.map((size, k) => (k === axis ? count : size)),
          ),
        ]
      : [];
  return concat([...zeros(before), x, ...zeros(after)], axis);
}
