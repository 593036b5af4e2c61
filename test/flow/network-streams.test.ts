// No random stream serves two purposes in the graphs of networks either, with all that they are told and that is dropped.
import { expect, test } from "vitest";
import { arrayData } from "../../src/data/array.ts";
import { someRows } from "../../src/data/split.ts";
import { withDivergence } from "../../src/flow/likelihood.ts";
import { fdm } from "../../src/flow/losses/fdm.ts";
import { fieldOf } from "../../src/flow/network-field.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { cnn } from "../../src/nn/cnn.ts";
import { classes, numbers } from "../../src/nn/conditions.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { type Conditions, type Network, parameterLayout, parameterViews } from "../../src/nn/network.ts";
import { networks as registered } from "../../src/nn/networks.ts";
import { networkKinds } from "../../src/nn/registry.ts";
import { residualMlp } from "../../src/nn/residual-mlp.ts";
import { sit } from "../../src/nn/sit.ts";
import { transformer } from "../../src/nn/transformer.ts";
import { unet1d } from "../../src/nn/unet1d.ts";
import { unet2d } from "../../src/nn/unet2d.ts";
import { state } from "../../src/ops/sources.ts";
import { batchUses, streamOf } from "../../src/ops/streams.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { buildBatchLosses } from "../../src/train/batch.ts";
import { drawsIn, noteAll, Purposes, watched } from "./purposes.ts";

const conditions = { label: classes(3, { drop: 0.1 }), age: numbers(2, { drop: 0.2 }), always: numbers([]) };

/** One of each kind, small, told a label and numbers, two of which may be dropped. */
const networks: Readonly<Record<string, Network>> = {
  mlp: mlp({ dimension: 2, hidden: [3], conditions }),
  residualMlp: residualMlp({ dimension: 2, width: 4, conditions }),
  unet1d: unet1d({ sample: [4, 1], channels: [4, 4], blocks: [1, 1], frequencies: 2, conditions }),
  cnn: cnn({ sample: [4, 2], channels: 4, dilations: [1], conditions }),
  transformer: transformer({ sample: [2, 2, 1], width: 4, heads: 2, outerBlocks: 1, conditions }),
  unet2d: unet2d({ sample: [4, 4, 1], channels: 4, multipliers: [1, 1], residualBlocks: 1, groups: 2, conditions }),
  sit: sit({ sample: [4, 4, 1], width: 4, heads: 2, depth: 1, frequencies: 2, conditions }),
};

const rows = 4;

test("every kind of network is here", () => {
  expect(Object.keys(networks).sort()).toEqual(
    [...new Set(["mlp", ...networkKinds, ...Object.keys(registered)])].sort(),
  );
});

test.each(Object.entries(networks))("%s", (_, network) => {
  const purposes = new Purposes();
  const { dimension } = network;
  const count = 6;
  const data = arrayData(
    new Float32Array(count * dimension).map((_, i) => Math.sin(i)),
    [count, dimension],
    {
      conditions: {
        label: Uint32Array.from({ length: count }, (_, i) => i % 3),
        age: Array.from({ length: count }, (_, i) => [i, -i]),
        always: Float32Array.from({ length: count }, (_, i) => i),
      },
    },
  );
  const layout = parameterLayout(network);
  const views = parameterViews(state({ name: "parameters", shape: [layout.total], dtype: "f32" }), layout);
  for (const use of batchUses) {
    const watch = watched(fdm({ probes: 2 }), data);
    const seed = state({ name: "seed", shape: [2], dtype: "u32" });
    const counter = state({ name: "step", shape: [1], dtype: "u32" });
    const jitter = new Array<number>(dimension).fill(0.1);
    const options = { network, path: condOT(), loss: watch.loss, data: watch.data, batchSize: rows, jitter };
    const { loss } = buildBatchLosses(options, views, { seed, counter, use });
    // Nothing is dropped where a model is judged.
    const own = use === "training" ? ["jitter", "drop of one", "drop of another"] : ["jitter"];
    const roles = noteAll(purposes, use, [loss], watch.roles, own);
    expect(roles.filter((role) => own.includes(role)).sort()).toEqual([...own].sort());
    expect(roles.filter((role) => role.startsWith("loss"))).toHaveLength(2);
  }
  // What a solve asks of it: the network itself draws nothing.
  const told: Conditions = new Map([
    ["label", state({ name: "label", shape: [rows], dtype: "u32" })],
    ...(["age", "age.told", "always"] as const).map((name) => {
      const width = { age: [2], "age.told": [1], always: [] }[name];
      return [name, state({ name, shape: [rows, ...width], dtype: "f32" })] as const;
    }),
  ]);
  const x = state({ name: "x", shape: [rows, dimension], dtype: "f32" });
  const t = state({ name: "t", shape: [rows, 1], dtype: "f32" });
  expect(drawsIn([network.apply(views, x, t, told)])).toEqual([]);
  const probes = 3;
  const solve = withDivergence(fieldOf(network, views, told), { estimator: "hutchinson", probes, probe: "gaussian" });
  const { velocity, divergences } = solve(x, t);
  drawsIn(divergences ? [velocity, divergences] : []).forEach(({ attributes }, i) => {
    expect(i).toBeLessThan(probes);
    purposes.note(`probe ${i}`, attributes);
  });
});

test("held out rows are drawn from streams that nothing else draws from", () => {
  for (const draw of [0, 1]) {
    const [high, low] = new HostRandom(5).uniform(2, streamOf("split", draw));
    expect(someRows(1000, 1, 5, draw)).toEqual(Uint32Array.of(Math.floor((high + low * 2 ** -24) * 1000)));
  }
});
