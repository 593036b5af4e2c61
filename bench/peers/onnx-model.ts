/**
 * The workload's network as an ONNX file: one Euler step, x [S, 2] and t [1, 1] in, x + v / 100 out. Written field by
 * field in protobuf's wire format; the numbers of fields are those of onnx.proto3.
 *
 * @see https://onnx.ai/onnx/repo-docs/IR.html
 */
import { eulerSteps, layersOf, type makeWorkload } from "../workload.mjs";

type Bytes = Uint8Array<ArrayBuffer>;

/** An opset with all operators used, in their present form, that every runtime has. */
const OPSET = 13;
const IR_VERSION = 7;
const FLOAT = 1;

/** The bytes of the model. */
export function eulerModel(
  { weights, biases }: Pick<ReturnType<typeof makeWorkload>, "weights" | "biases">,
  width: number,
  count: number,
): Bytes {
  const layers = layersOf(width);
  const nodes: Bytes[] = [node("Expand", ["t", "column"], "times"), concat(["x", "times"], "h0", 1)];
  const constants: Bytes[] = [tensor("size", [], Float32Array.of(1 / eulerSteps)), int64s("column", [count, 1])];
  weights.forEach((weight, layer) => {
    const bias = biases[layer] as Float32Array;
    constants.push(tensor(`w${layer}`, layers.slice(layer, layer + 2), weight));
    constants.push(tensor(`b${layer}`, [bias.length], bias));
    nodes.push(node("Gemm", [`h${layer}`, `w${layer}`, `b${layer}`], `a${layer}`));
    if (layer === weights.length - 1) return;
    nodes.push(node("Sigmoid", [`a${layer}`], `s${layer}`));
    nodes.push(node("Mul", [`a${layer}`, `s${layer}`], `h${layer + 1}`));
  });
  nodes.push(node("Mul", [`a${weights.length - 1}`, "size"], "way"), node("Add", ["x", "way"], "next"));
  const graph = message([
    ...nodes.map((bytes) => part(1, bytes)),
    text(2, "euler-step"),
    ...constants.map((bytes) => part(5, bytes)),
    part(11, valueInfo("x", [count, 2])),
    part(11, valueInfo("t", [1, 1])),
    part(12, valueInfo("next", [count, 2])),
  ]);
  return message([integer(1, IR_VERSION), part(7, graph), part(8, message([text(1, ""), integer(2, OPSET)]))]);
}

function node(operator: string, inputs: readonly string[], output: string, attributes: readonly Bytes[] = []): Bytes {
  return message([
    ...inputs.map((name) => text(1, name)),
    text(2, output),
    text(3, output),
    text(4, operator),
    ...attributes.map((bytes) => part(5, bytes)),
  ]);
}

function concat(inputs: readonly string[], output: string, axis: number): Bytes {
  const INT = 2;
  return node("Concat", inputs, output, [message([text(1, "axis"), integer(3, axis), integer(20, INT)])]);
}

function tensor(name: string, shape: readonly number[], values: Float32Array): Bytes {
  const raw = new Uint8Array(values.slice().buffer); // little-endian, as every platform that has WebAssembly
  return message([...shape.map((size) => integer(1, size)), integer(2, FLOAT), text(8, name), part(9, raw)]);
}

function int64s(name: string, values: readonly number[]): Bytes {
  const INT64 = 7;
  const raw = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return message([integer(1, values.length), integer(2, INT64), text(8, name), part(9, raw)]);
}

function valueInfo(name: string, shape: readonly number[]): Bytes {
  const dimensions = message(shape.map((size) => part(1, message([integer(1, size)]))));
  const type = message([part(1, message([integer(1, FLOAT), part(2, dimensions)]))]);
  return message([text(1, name), part(2, type)]);
}

/** Fields one after another. */
function message(fields: readonly Bytes[]): Bytes {
  const bytes = new Uint8Array(fields.reduce((sum, field) => sum + field.length, 0));
  let at = 0;
  for (const field of fields) {
    bytes.set(field, at);
    at += field.length;
  }
  return bytes;
}

/** A field of wire type 2: bytes after their length. */
function part(field: number, bytes: Bytes): Bytes {
  return message([Uint8Array.from([...varint((field << 3) | 2), ...varint(bytes.length)]), bytes]);
}

function text(field: number, value: string): Bytes {
  return part(field, new TextEncoder().encode(value));
}

/** A field of wire type 0. */
function integer(field: number, value: number): Bytes {
  return Uint8Array.from([...varint(field << 3), ...varint(value)]);
}

/** Seven bits a byte, lowest first. Values from 0 to 2^31 - 1. */
function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}
