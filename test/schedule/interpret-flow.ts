/** The mlpFlow kernel of the interpreter: its op's reference on the operands' values. */
import { activationKinds } from "../../src/kernels/elementwise.ts";
import { type MlpFlowAttributes, mlpFlowOp } from "../../src/ops/mlp-flow.ts";
import type { Access } from "./interpret-chain.ts";

/** @param p - the call's parameters. */
export function interpretFlow(p: Readonly<Record<string, number>>, operand: (name: string) => Access): void {
  const parameter = (name: string) => p[name] as number;
  const stages = Array.from({ length: parameter("stages") }, (_, i) => i);
  const given = ["flow", "parameters", "layers", "times", "range"];
  if (parameter("probes") > 0 && parameter("exact") === 0) given.push("probe");
  const inputs = given.map((name) => {
    const { length, get } = operand(name);
    return { shape: [length], data: Float64Array.from({ length }, (_, i) => get(i)) };
  });
  const layers = (inputs[2] as (typeof inputs)[number]).data;
  const attributes: MlpFlowAttributes = {
    rows: parameter("rows"),
    dimension: parameter("dimension"),
    hidden: Array.from({ length: parameter("layers") - 1 }, (_, k) => layers[3 * k] as number),
    activation: activationKinds[parameter("activation")] as MlpFlowAttributes["activation"],
    a: stages.map((i) => (i === 0 ? 0 : parameter(`a${i}`))),
    b: stages.map((i) => parameter(`b${i}`)),
    c: stages.map((i) => (i === 0 ? 0 : parameter(`c${i}`))),
    probes: parameter("probes"),
    exact: parameter("exact") === 1,
  };
  const flow = operand("flow");
  mlpFlowOp.op.reference(inputs, attributes, [flow.length]).data.forEach((value, i) => {
    flow.set(i, value);
  });
}
