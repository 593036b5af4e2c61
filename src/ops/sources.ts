/** Nodes without inputs: state, filled constants, tables of numbers. */

import { ConfigError } from "../errors.ts";
import type { StateDeclaration } from "../graph/graph.ts";
import { type DType, type Node, type Shape, sizeOf } from "../graph/node.ts";
import { defineOp, type HostTensor, type OpCases } from "../graph/op.ts";

/** The value a state has before the run. The reference backend looks it up by name; `reference` is never called. */
export const stateOp = defineOp<StateDeclaration>({
  name: "state",
  shape: (_inputs, { shape }) => shape,
  dtype: (_inputs, { dtype }) => dtype,
  reference(_inputs, { name }): HostTensor {
    throw new ConfigError({
      subject: `state "${name}"`,
      given: "no value",
      expected: "a value from the runner",
      remedy: "Evaluate the graph with a value for every state.",
    });
  },
});

export const stateCases: OpCases<StateDeclaration> = () => [
  { shapes: [], attributes: { name: "x", shape: [2, 3], dtype: "f32" } },
];

/** Reads the state of this declaration. */
export function state(declaration: StateDeclaration): Node<StateDeclaration> {
  return stateOp([], declaration);
}

export interface ConstantAttributes {
  readonly value: number;
  readonly shape: Shape;
  readonly dtype: DType;
}

export const constantOp = defineOp<ConstantAttributes>({
  name: "constant",
  shape: (_inputs, { shape }) => shape,
  dtype: (_inputs, { dtype }) => dtype,
  reference: (_inputs, { value }, shape) => ({ shape, data: new Float64Array(sizeOf(shape)).fill(value) }),
});

export const constantCases: OpCases<ConstantAttributes> = () => [
  { shapes: [], attributes: { value: -2.5, shape: [2, 3], dtype: "f32" } },
  { shapes: [], attributes: { value: 2 ** 32 - 1, shape: [3], dtype: "u32" } },
];

/** One number in every element of `shape` (default: a scalar). Never takes memory: kernels hold it as an immediate. */
export function constant(value: number, shape: Shape = []): Node<ConstantAttributes> {
  return constantOp([], { value, shape, dtype: "f32" });
}

export interface TableAttributes {
  readonly values: readonly number[];
  readonly shape: Shape;
  readonly dtype: DType;
}

export const tableOp = defineOp<TableAttributes>({
  name: "table",
  shape: (_inputs, { shape, values }) => {
    if (sizeOf(shape) !== values.length) {
      throw new ConfigError({
        subject: "table",
        given: values.length,
        expected: `${sizeOf(shape)} values for shape [${shape.join(", ")}]`,
        remedy: "Give one value for each element.",
      });
    }
    return shape;
  },
  dtype: (_inputs, { dtype }) => dtype,
  reference: (_inputs, { values }, shape) => ({ shape, data: Float64Array.from(values) }),
});

export const tableCases: OpCases<TableAttributes> = () => [
  { shapes: [], attributes: { values: [0.5, -1, 2, 0, 3, 1e-3], shape: [2, 3], dtype: "f32" } },
  { shapes: [], attributes: { values: [0, 7, 2 ** 32 - 1], shape: [3], dtype: "u32" } },
];

/** Numbers known when the graph is built, row-major; uploaded once with the program. */
export function table(values: readonly number[], shape: Shape, dtype: DType = "f32"): Node<TableAttributes> {
  return tableOp([], { values, shape, dtype });
}

/** The number that fills a constant; undefined for other nodes. */
export function constantValue(node: Node): number | undefined {
  return node.op === constantOp.op ? (node.attributes as ConstantAttributes).value : undefined;
}
