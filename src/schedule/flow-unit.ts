/** The call of the kernel that runs a whole network: src/kernels/mlp-flow.ts. */
import { isNodeOf } from "../graph/node.ts";
import { activationKinds } from "../kernels/elementwise.ts";
import { mlpFlowTiling } from "../kernels/mlp-flow.ts";
import { mlpFlowOp } from "../ops/mlp-flow.ts";
import type { CallMaker } from "./call-units.ts";
import type { View } from "./cells.ts";

/** `out` begins as `flow`: the call changes it in place. */
export const flowUnit: CallMaker = (node, viewOf, out) => {
  if (!isNodeOf(node, mlpFlowOp.op)) return undefined;
  const [flow, parameters, layers, times, range, probe] = node.inputs.map(viewOf) as [
    ...[View, View, View, View, View],
    View | undefined,
  ];
  const { rows, dimension, hidden, activation, a, b, c, probes, exact } = node.attributes;
  const at = (values: readonly number[], stage: number) => values[stage] ?? 0;
  const widths = [dimension + 1, ...hidden, dimension];
  const weights = widths.slice(1).reduce((sum, width, k) => sum + width * (widths[k] as number), 0);
  return {
    kind: "call",
    kernel: "mlpFlow",
    parameters: {
      rows,
      dimension,
      layers: hidden.length + 1,
      activation: activationKinds.indexOf(activation),
      stages: b.length,
      ...{ a1: at(a, 1), a2: at(a, 2), a3: at(a, 3) },
      ...{ b0: at(b, 0), b1: at(b, 1), b2: at(b, 2), b3: at(b, 3) },
      ...{ c1: at(c, 1), c2: at(c, 2), c3: at(c, 3) },
      probes,
      exact: Number(exact),
      ...mlpFlowTiling({ dimension, widest: Math.max(...hidden), probes }),
    },
    reads: { parameters, vectors: parameters, layers, times, range, probe: probe ?? times },
    writes: { flow: out },
    flops: 2 * weights * rows * b.length * (1 + probes), // of one step: `range` says how many
    label: (names) => `${names["flow"]} goes steps ${names["range"]} of ${names["times"]} by ${names["parameters"]}`,
    initial: flow,
  };
};
