/** Cases of `mlpFlow`: widths 1, primes and 128, blocks with rows to spare, each way to take tangents, each activation. */
import { type ActivationKind, activationKinds } from "../../src/kernels/elementwise.ts";
import { mlpFlowTiling } from "../../src/kernels/mlp-flow.ts";
import { consecutiveLayers, flowSize, layerWords, type MlpFlowAttributes, mlpFlowOp } from "../../src/ops/mlp-flow.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import type { KernelCase } from "./kernel-case.ts";

const euler = { a: [0], b: [1], c: [0] };
const midpoint = { a: [0, 1 / 2], b: [0, 1], c: [0, 1 / 2] };
const heun = { a: [0, 1], b: [1 / 2, 1 / 2], c: [0, 1] };
const rk4 = { a: [0, 1 / 2, 1 / 2, 1], b: [1 / 6, 1 / 3, 1 / 3, 1 / 6], c: [0, 1 / 2, 1 / 2, 1] };

type Divergence = Pick<MlpFlowAttributes, "probes" | "exact">;
const none: Divergence = { probes: 0, exact: false };
const exact = (dimension: number): Divergence => ({ probes: dimension, exact: true });
const hutchinson = (probes: number): Divergence => ({ probes, exact: false });

function flowCase(
  rows: number,
  dimension: number,
  hidden: readonly number[],
  activation: ActivationKind,
  tableau: typeof euler,
  divergence: Divergence,
  number: number,
): KernelCase {
  const random = new HostRandom(20_261_125);
  const draw = (count: number, stream: number, scale = 1) =>
    random.normal(count, 8 * number + stream).map((value) => Math.fround(scale * value));
  const attributes: MlpFlowAttributes = { rows, dimension, hidden, activation, ...tableau, ...divergence };
  const { layers, total } = consecutiveLayers(dimension, hidden);
  const parameters = draw(total, 0);
  layers.forEach(({ weight, bias }) => {
    const spread = Math.sqrt((bias - weight) / (layers.find((each) => each.weight === weight)?.outputs as number));
    for (let i = weight; i < bias; i++) parameters[i] = Math.fround((parameters[i] as number) / spread);
  });
  const flow = draw(flowSize(attributes), 1); // what is lost as large as what is there: nothing of it may be passed over
  const times = Float64Array.of(0, 0.25, 0.375, 0.75, 1);
  const range = [1, 3];
  const { probes } = attributes;
  const probe = probes > 0 && !attributes.exact ? draw(probes * rows * dimension, 2) : undefined;
  const words = layerWords(layers);
  const inputs = [flow, parameters, words, times, range, ...(probe ? [probe] : [])];
  const tensors = inputs.map((data) => ({ shape: [data.length], data: Float64Array.from(data) }));
  const at = (values: readonly number[], stage: number) => values[stage] ?? 0;
  const { a, b, c } = tableau;
  const estimates = probes === 0 ? "" : attributes.exact ? ", exact divergence" : `, ${probes} probes`;
  return {
    label: `mlpFlow ${rows} x ${dimension} through ${hidden.join(", ")}, ${activation}, ${b.length} stages${estimates}`,
    kernel: "mlpFlow",
    parameters: {
      rows,
      dimension,
      layers: layers.length,
      activation: activationKinds.indexOf(activation),
      stages: b.length,
      ...{ a1: at(a, 1), a2: at(a, 2), a3: at(a, 3) },
      ...{ b0: at(b, 0), b1: at(b, 1), b2: at(b, 2), b3: at(b, 3) },
      ...{ c1: at(c, 1), c2: at(c, 2), c3: at(c, 3) },
      probes,
      exact: Number(attributes.exact),
      ...mlpFlowTiling({ dimension, widest: Math.max(...hidden), probes }),
    },
    operands: {
      parameters: { dtype: "f32", values: parameters },
      layers: { dtype: "u32", values: words },
      times: { dtype: "f32", values: times },
      range: { dtype: "u32", values: range },
      ...(probe && { probe: { dtype: "f32", values: probe } }),
      flow: {
        dtype: "f32",
        values: flow,
        expected: mlpFlowOp.op.reference(tensors, attributes, [flow.length]).data,
      },
    },
    bindings: (place) => ({ vectors: place("parameters"), ...(!probe && { probe: place("times") }) }),
  };
}

/** The operands' offsets go by the number of a case: of two like cases one reads weights by fours, the other cannot. */
const list: readonly (readonly [number, number, readonly number[], ActivationKind, typeof euler, Divergence])[] = [
  [33, 2, [128, 128], "silu", euler, none],
  [1, 1, [1], "tanh", heun, exact(1)],
  [40, 2, [128, 128], "silu", rk4, hutchinson(1)],
  [9, 3, [127, 3], "selu", rk4, exact(3)],
  [70, 2, [64, 64], "gelu", rk4, exact(2)],
  [19, 16, [13], "softplus", midpoint, hutchinson(4)],
  [40, 5, [96, 32, 64, 128, 5, 128, 128, 17], "sin", heun, hutchinson(1)],
  [9, 4, [100], "geluTanh", heun, exact(4)],
  [21, 2, [7, 7], "elu", euler, hutchinson(8)],
  [130, 16, [128], "relu", midpoint, none],
  [300, 7, [20, 24], "tanh", euler, none],
];

export const flowCases: Readonly<Record<string, () => KernelCase[]>> = {
  mlpFlow: () => list.map((each, number) => flowCase(...each, number)),
};
