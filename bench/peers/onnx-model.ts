/**
 * The workload's network as an ONNX file: one Euler step, x [S, 2] and t [1, 1] in, x + v / 100 out. In divflow's own writing
 * of the format, of fixed sizes.
 */
import { type Attribute, type Initializer, type Operation, writeModelFile } from "../../src/onnx/model-file.ts";
import { eulerSteps, layersOf, type makeWorkload } from "../workload.mjs";

/** The bytes of the model. */
export function eulerModel(
  { weights, biases }: Pick<ReturnType<typeof makeWorkload>, "weights" | "biases">,
  width: number,
  count: number,
): Uint8Array<ArrayBuffer> {
  const layers = layersOf(width);
  const operations = [
    node("Expand", ["t", "column"], "times"),
    node("Concat", ["x", "times"], "h0", { axis: { int: 1 } }),
  ];
  const initializers: Initializer[] = [
    { name: "size", shape: [], values: Float32Array.of(1 / eulerSteps) },
    { name: "column", shape: [2], values: BigInt64Array.of(BigInt(count), 1n) },
  ];
  weights.forEach((weight, layer) => {
    const bias = biases[layer] as Float32Array;
    initializers.push({ name: `w${layer}`, shape: layers.slice(layer, layer + 2), values: weight });
    initializers.push({ name: `b${layer}`, shape: [bias.length], values: bias });
    operations.push(node("Gemm", [`h${layer}`, `w${layer}`, `b${layer}`], `a${layer}`));
    if (layer === weights.length - 1) return;
    operations.push(node("Sigmoid", [`a${layer}`], `s${layer}`));
    operations.push(node("Mul", [`a${layer}`, `s${layer}`], `h${layer + 1}`));
  });
  operations.push(node("Mul", [`a${weights.length - 1}`, "size"], "way"), node("Add", ["x", "way"], "next"));
  const value = (name: string, shape: readonly number[]) => ({ name, shape, type: "float", description: "" }) as const;
  return writeModelFile({
    ...{ name: "euler-step", description: "", metadata: {}, operations, initializers },
    inputs: [value("x", [count, 2]), value("t", [1, 1])],
    outputs: [value("next", [count, 2])],
  });
}

function node(
  operator: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, Attribute>> = {},
): Operation {
  return { operator, inputs, output, attributes };
}
