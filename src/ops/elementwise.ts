/**
 * What the elementwise ops share: one scalar function applied to equal shapes. Their wrappers take nodes and numbers,
 * broadcast them to one shape (axes aligned from the right, sizes equal or 1) and fold constants.
 */
import { ConfigError } from "../errors.ts";
import { type DType, type Node, type Shape, sameShape, sizeOf } from "../graph/node.ts";
import { defineOp, type HostTensor, type OpCase, type OpCases, type OpFunction } from "../graph/op.ts";
import { broadcast } from "./shape.ts";
import { constant, constantValue } from "./sources.ts";

/** What a wrapper takes: a node, or a number for a constant. */
export type Operand = Node | number;

export interface ElementwiseRule {
  /** Also the name in src/kernels/elementwise.ts. */
  readonly name: string;
  readonly operands: number;
  /** The function in f64. */
  value(...x: number[]): number;
  /** Element type of the result, after checking those of the inputs; all are f32 when left out. */
  dtype?(inputs: readonly DType[]): DType;
  jvp?(node: Node, tangents: readonly (Node | undefined)[]): Node | undefined;
  vjp?(node: Node, cotangent: Node): readonly (Node | undefined)[];
}

/** An elementwise op without attributes. */
export function defineElementwise(rule: ElementwiseRule): OpFunction<null> {
  const { name, operands, value, jvp, vjp } = rule;
  return defineOp<null>({
    name,
    shape: (shapes) => equalShapes(name, operands, shapes),
    dtype: (given) =>
      rule.dtype ? rule.dtype(given) : expectDTypes(name, given, Array<DType>(operands).fill("f32"), "f32"),
    ...(jvp && { jvp }),
    ...(vjp && { vjp }),
    reference: (inputs, _attributes, shape) => mapElements(inputs, shape, value),
    elementwise: () => name,
  });
}

/** The one case of an elementwise op; how its inputs are drawn may be given. */
export function elementwiseCases(
  operands: number,
  drawn: Pick<OpCase<null>, "domain" | "integers"> = {},
): OpCases<null> {
  return () => [{ shapes: Array<Shape>(operands).fill([2, 3]), attributes: null, ...drawn }];
}

/** Applies an elementwise op to operands of shapes that broadcast; a constant when all operands are. */
export function applyElementwise(make: OpFunction<null>, value: ElementwiseRule["value"], operands: Operand[]): Node {
  const nodes = broadcastTogether(make.op.name, operands);
  const values = nodes.map(constantValue);
  if (values.every((known) => known !== undefined) && nodes.every((node) => node.dtype === "f32")) {
    return constant(value(...values), (nodes[0] as Node).shape);
  }
  return make(nodes, null);
}

/** The operands as nodes of the shape they broadcast to. */
export function broadcastTogether(name: string, operands: readonly Operand[]): Node[] {
  const nodes = operands.map((operand) => (typeof operand === "number" ? constant(operand) : operand));
  const shape = broadcastShape(
    name,
    nodes.map((node) => node.shape),
  );
  return nodes.map((node) => broadcast(node, shape));
}

/** The shape these broadcast to: aligned from the right, each axis of the one size that is not 1. */
export function broadcastShape(name: string, shapes: readonly Shape[]): Shape {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    const size = Math.max(...sizes);
    if (sizes.every((given) => given === size || given === 1)) return size;
    throw new ConfigError({
      subject: `shapes of ${name}`,
      given: shapes,
      expected: "sizes that are equal or 1, aligned from the right",
      remedy: "Reshape an operand.",
    });
  });
}

/** The shape of all inputs, which agree. */
export function equalShapes(name: string, operands: number, shapes: readonly Shape[]): Shape {
  const [first] = shapes;
  if (first !== undefined && shapes.length === operands && shapes.every((shape) => sameShape(shape, first))) {
    return first;
  }
  throw new ConfigError({
    subject: `inputs of ${name}`,
    given: shapes,
    expected: `${operands} of one shape`,
    remedy: "Use the wrapper function, which broadcasts.",
  });
}

/** `result`, once the element types of the inputs are found to be as expected. */
export function expectDTypes(name: string, given: readonly DType[], expected: readonly DType[], result: DType): DType {
  if (given.length === expected.length && given.every((dtype, input) => dtype === expected[input])) return result;
  throw new ConfigError({
    subject: `element types of ${name}`,
    given,
    expected: expected.join(", "),
    remedy: "Turn u32 into f32 with toFloat.",
  });
}

/** The function of each element. It gets no more arguments than there are inputs: Math.max would take them all. */
export function mapElements(inputs: readonly HostTensor[], shape: Shape, value: ElementwiseRule["value"]): HostTensor {
  const data = new Float64Array(sizeOf(shape));
  const operands = inputs.map((input) => input.data);
  const [a, b, c] = operands as [Float64Array, Float64Array, Float64Array];
  if (operands.length === 1) for (let i = 0; i < data.length; i++) data[i] = value(a[i]);
  else if (operands.length === 2) for (let i = 0; i < data.length; i++) data[i] = value(a[i], b[i]);
  else for (let i = 0; i < data.length; i++) data[i] = value(a[i], b[i], c[i]);
  return { shape, data };
}
