// No random stream serves two purposes: the draws in the graphs of every loss, data source, solver and sampler, each
// known by what asked for it (the data source, the loss, the noise that a loss gets, ...), not by its number.
import { expect, test } from "vitest";
import { arrayData } from "../../src/data/array.ts";
import { dataFrom, dataNames } from "../../src/data/registry.ts";
import { drawPoints } from "../../src/data/sample.ts";
import type { DataSource } from "../../src/data/source.ts";
import { LimitError } from "../../src/errors.ts";
import { drawPrior, velocityOnly, withDivergence } from "../../src/flow/likelihood.ts";
import { fdm } from "../../src/flow/losses/fdm.ts";
import type { Loss } from "../../src/flow/losses/loss.ts";
import { lossFrom, lossNames } from "../../src/flow/losses/registry.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { solverOfMore } from "../../src/flow/solvers/more.ts";
import { moreSolverNames, solverFrom, solverNames } from "../../src/flow/solvers/registry.ts";
import { wholeNetworkPlan } from "../../src/flow/whole-network.ts";
import type { Node } from "../../src/graph/node.ts";
import { rewrite } from "../../src/graph/rewrite.ts";
import { initialParameters } from "../../src/nn/initialize.ts";
import { mlp, mlpStructure } from "../../src/nn/mlp.ts";
import { parameterLayout, parameterViews } from "../../src/nn/network.ts";
import { random, randomOp } from "../../src/ops/random.ts";
import { constant, state } from "../../src/ops/sources.ts";
import { batchUses, Streams, streamOf, streamPurposes } from "../../src/ops/streams.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { adam } from "../../src/train/adam.ts";
import { buildBatchLosses } from "../../src/train/batch.ts";
import { buildTrainStep } from "../../src/train/step.ts";
import { type Draw, drawsIn, noteAll, Purposes, valuesIn, watched } from "./purposes.ts";

const sources = [
  ...dataNames.map((name) => dataFrom({ name, options: {} })),
  arrayData(
    Float32Array.from({ length: 20 }, (_, i) => Math.sin(i)),
    [10, 2],
  ),
];
const manyProbes = [256, 300, 1024].flatMap((probes) =>
  (["rademacher", "gaussian"] as const).map((probe) => fdm({ probes, probe })),
);
const losses = [
  ...lossNames.map((name) => lossFrom({ name, options: {} })),
  fdm({ form: "slice", probes: 7, fraction: 0.5 }),
  ...manyProbes,
];
/** Many probes make large graphs: they meet one source. */
const batches = losses.flatMap((loss) =>
  sources.filter((data) => !manyProbes.includes(loss) || data === sources[0]).map((data) => ({ loss, data })),
);
const rows = 4;

function networkOf(dimension: number) {
  const network = mlp({ dimension, hidden: [3] });
  const layout = parameterLayout(network);
  const flat = state({ name: "parameters", shape: [layout.total], dtype: "f32" });
  return { network, views: parameterViews(flat, layout) };
}

test.each(batches)("of training on $loss.name, $data.name, and of a solve of equal seed", ({ loss, data }) => {
  const purposes = new Purposes();
  const { network, views } = networkOf(data.dimension);
  const path = condOT();
  for (const use of batchUses) {
    const watch = watched(loss, data);
    const seed = state({ name: "seed", shape: [2], dtype: "u32" });
    const counter = state({ name: "step", shape: [1], dtype: "u32" });
    const options = { network, path, loss: watch.loss, data: watch.data, batchSize: rows };
    const { loss: value } = buildBatchLosses(options, views, { seed, counter, use });
    noteAll(purposes, use, [value], watch.roles);
  }
  noteSolves(purposes, data.dimension);
  noteNoise(purposes, data.dimension);
  notePoints(purposes, data);
});

test("the whole training step draws what its losses draw", () => {
  const { network } = networkOf(2);
  const watch = watched(fdm({ probes: 3 }), sources[0] as DataSource);
  const options = { network, path: condOT(), loss: watch.loss, data: watch.data, batchSize: rows };
  noteAll(new Purposes(), "", valuesIn(buildTrainStep({ ...options, optimizer: adam() })), watch.roles);
});

test("two purposes on one stream are seen, whichever they are", () => {
  const { network } = networkOf(2);
  const watch = watched(fdm({ probes: 2 }), sources[0] as DataSource);
  const options = { network, path: condOT(), loss: watch.loss, data: watch.data, batchSize: rows };
  const graph = buildTrainStep({ ...options, optimizer: adam() });
  const roles = [...watch.roles.entries()].filter(([node]) => drawsIn(valuesIn(graph)).includes(node as Draw));
  expect(roles.length).toBeGreaterThan(5);
  for (const [one, role] of roles) {
    for (const [other, otherRole] of roles.filter(([node]) => node !== one)) {
      const moved = new Map<Node, string>();
      const wrong = rewrite(graph, (node, original) => {
        const { stream } = (other as Draw).attributes;
        const made = original === one ? randomOp(node.inputs, { ...(one as Draw).attributes, stream }) : node;
        const known = watch.roles.get(original);
        if (known) moved.set(made, known);
        return made;
      });
      const note = () => noteAll(new Purposes(), "", valuesIn(wrong), moved);
      expect(note, `${role} from the stream of ${otherRole}`).toThrow(/serves/);
    }
  }
});

/** One probe in the plans of every solver, and the most there may be; and the noise that a solve starts from. */
function noteSolves(purposes: Purposes, dimension: number): void {
  const { network, views } = networkOf(dimension);
  const parameters = state({ name: "parameters", shape: [parameterLayout(network).total], dtype: "f32" });
  const structure = mlpStructure(network) as NonNullable<ReturnType<typeof mlpStructure>>;
  for (const [probes, probe, solvers] of [
    [1, "gaussian", solverNames],
    [256, "rademacher", ["euler"]], // 256 tangents through a network: one solver's graph is as good as another's
  ] as const) {
    const points = { rows, dimension, estimates: probes };
    const divergence = { estimator: "hutchinson", probes, probe } as const;
    for (const { attributes } of drawsIn(valuesIn(drawPrior(points, 1)))) purposes.note("prior", attributes);
    const field = withDivergence((x, t) => network.apply(views, x, t), divergence);
    for (const name of solvers) {
      const plan = solverFrom({ name, options: {} }).plan({ ...points, field, stops: [0, 1] });
      const whole = wholeNetworkPlan(plan, { ...points, structure, parameters, divergence });
      const graphs = [plan.start, plan.step, whole?.start, whole?.step].filter((graph) => graph !== undefined);
      for (const graph of graphs) {
        const streams = new Set(drawsIn(valuesIn(graph)).map(({ attributes }) => attributes.stream));
        if (graph === plan.step || graph === whole?.start) expect(streams.size).toBe(probes);
        // A probe's number is its purpose: all solvers agree on it, and one kind of probe is as good as the other.
        [...streams]
          .sort((a, b) => a - b)
          .forEach((stream, i) => {
            purposes.note(`probe ${i}`, { kind: "rademacher", shape: [], bound: 0, stream });
          });
      }
    }
  }
}

/** The noise of each step, beside what the points start from, of equal seeds. */
function noteNoise(purposes: Purposes, dimension: number): void {
  const { network, views } = networkOf(dimension);
  const field = velocityOnly((x, t) => network.apply(views, x, t));
  const solvers = moreSolverNames.filter((name) => !["flow-map", "on-grid"].includes(name)); // the one's field is another, the other's steps are those of these
  const drawn = solvers.map((name) => {
    const plan = solverOfMore({ name, options: {} }).plan({
      ...{ field, rows, dimension, estimates: 0, stops: [0, 1], path: condOT() },
    });
    const draws = drawsIn(valuesIn(plan.step));
    for (const { attributes } of draws) purposes.note("noise on the way", attributes);
    return draws.length;
  });
  expect(drawn).toEqual(solvers.map((name) => (/maruyama|stochastic/.test(name) ? 1 : 0)));
}

function notePoints(purposes: Purposes, data: DataSource): void {
  const watch = watched(lossFrom({ name: "cfm", options: {} }), data);
  noteAll(purposes, "points", [drawPoints(watch.data, rows, () => {})], watch.roles);
}

test("initial parameters are drawn from streams that nothing else draws from", () => {
  const network = mlp({ dimension: 2, hidden: [3, 4] });
  const flat = initialParameters(network, 5);
  const [entry] = parameterLayout(network).entries;
  const first = streamOf("parameters", network.parameters.indexOf(entry.declaration));
  const [drawn] = new HostRandom(5).uniform(1, first);
  expect(flat[entry.offset]).toBe(Math.fround((2 * drawn - 1) / Math.sqrt(3)));
});

test("the streams of purposes are apart, those past a range too, and those of usual runs what they were", () => {
  const met = new Map<number, string>();
  for (const use of batchUses) {
    for (const purpose of streamPurposes) {
      for (const index of [0, 1, 6, 255, 256, 300, 1023, 1 << 20, (1 << 20) - 1]) {
        let stream: number;
        try {
          stream = streamOf(purpose, index, use);
        } catch {
          continue;
        }
        const name = `${use} ${purpose} ${index}`;
        expect(met.get(stream)).toBeUndefined();
        expect(stream).toBeLessThan(2 ** 32);
        met.set(stream, name);
      }
    }
  }
  const usual = { times: 0, noise: 1, loss: 0x100, data: 0x200, points: 0x800, parameters: 0x1000 } as const;
  for (const [purpose, stream] of Object.entries(usual)) expect(streamOf(purpose as keyof typeof usual)).toBe(stream);
});

test("a purpose that needs one draw gets one, others as many as they have streams", () => {
  const streams = new Streams();
  streams.next("noise");
  expect(() => streams.next("noise")).toThrow(LimitError);
  expect(() => streams.next("noise")).toThrow("random streams for noise: got ");
  expect(() => streamOf("loss", 0x100 + 0x10_0000)).toThrow(LimitError);
  const greedy: Loss = {
    name: "greedy",
    options: {},
    build: ({ random: draw, t }) => {
      const parts = Array.from({ length: 600 }, () => draw("normal", t.shape));
      const streams = new Set(parts.map((part) => (part as Draw).attributes.stream));
      expect(streams.size).toBe(600);
      return { loss: constant(0), velocityLoss: constant(0), divergenceLoss: undefined };
    },
  };
  const { network, views } = networkOf(2);
  const seed = state({ name: "seed", shape: [2], dtype: "u32" });
  const counter = state({ name: "step", shape: [1], dtype: "u32" });
  const data = dataFrom({ name: "moons", options: {} });
  buildBatchLosses({ network, path: condOT(), loss: greedy, data, batchSize: 2 }, views, { seed, counter });
  expect(random("normal", [2], { seed, counter, stream: streamOf("prior") }).shape).toEqual([2]);
});
