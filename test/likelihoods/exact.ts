/** Models whose fields are known: networks that are the true velocity of a Gaussian mixture, in f32 as any other. */
import { arrayData } from "../../src/data/array.ts";
import { gaussianMixture } from "../../src/data/gaussian-mixture.ts";
import { sampleData } from "../../src/data/sample.ts";
import type { DataSource } from "../../src/data/source.ts";
import type { Model, Runtime } from "../../src/engine/api.ts";
import { cfm } from "../../src/flow/losses/cfm.ts";
import { componentsOf, type MixtureParts, mixtureMarginal } from "../../src/flow/mixture.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import type { PathScheduler } from "../../src/flow/paths/path.ts";
import type { Node } from "../../src/graph/node.ts";
import { classes } from "../../src/nn/conditions.ts";
import { defineNetwork } from "../../src/nn/define-network.ts";
import { constant } from "../../src/nn/initial.ts";
import { add, multiply } from "../../src/ops/arithmetic.ts";
import { embedding } from "../../src/ops/embed.ts";
import { slice } from "../../src/ops/shape.ts";
import { table } from "../../src/ops/sources.ts";

/** Three components in the plane, one of them narrow. */
export const plane = {
  weights: [0.5, 0.2, 0.3],
  means: [
    [-1, 0.5],
    [1, 1],
    [0.2, -1.3],
  ],
  variances: [
    [0.2, 0.5],
    [0.1, 0.1],
    [0.4, 0.1],
  ],
} satisfies MixtureParts;

export function mixtureData({ weights, means, variances }: MixtureParts): DataSource {
  return gaussianMixture({ weights, means, variances });
}

/** The mixture's velocity, times a parameter that is 1. */
export function exactNetwork(mixture: MixtureParts, path: PathScheduler) {
  const { length } = mixture.means[0] as readonly number[];
  return defineNetwork({
    name: "exact",
    sample: [length],
    parameters: [{ name: "one", shape: [1], initial: constant(1), torchLayout: "as-is" }],
    apply: ({ x, t }, values) =>
      multiply(mixtureMarginal(componentsOf(mixture), path.at(t), x).velocity, values.get("one") as never),
  });
}

export async function exactModel(
  runtime: Runtime,
  mixture: MixtureParts,
  path: PathScheduler = condOT(),
): Promise<Model> {
  const network = exactNetwork(mixture, path);
  const { model } = await runtime.createTrainer({
    network,
    path,
    loss: cfm(),
    data: mixtureData(mixture),
    batchSize: 4,
  });
  return model;
}

/** Told label 0 it is the velocity of the plane's first two components, told nothing that of all three. */
export async function guidedModel(runtime: Runtime): Promise<Model> {
  const path = condOT();
  const first = { ...plane, weights: [0.7, 0.3, 1e-9] };
  const network = defineNetwork({
    name: "exact, told a label",
    sample: [2],
    conditions: { label: classes(1, { drop: 0.2 }) },
    parameters: [{ name: "one", shape: [1], initial: constant(1), torchLayout: "as-is" }],
    apply: ({ x, t, label }, values) => {
      const [all, own] = [plane, first].map(
        (mixture) => mixtureMarginal(componentsOf(mixture), path.at(t), x).velocity,
      );
      const isTold = embedding(table([1, 0, 0, 1], [2, 2]), label as Node); // a row of each label, the last of none
      const one = multiply(slice(isTold, 1, 0, 1), values.get("one") as Node);
      return add(multiply(one, own as Node), multiply(slice(isTold, 1, 1, 2), all as Node));
    },
  });
  const points = sampleData(mixtureData(plane), 20, 1);
  const data = arrayData(points, [20, 2], { conditions: { label: new Uint8Array(20) } });
  return (await runtime.createTrainer({ network, path, loss: cfm(), data, batchSize: 4 })).model;
}
