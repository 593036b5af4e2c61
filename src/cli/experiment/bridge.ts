/** From eight Gaussians to two moons: what pairing starts with ends does to a flow, and what FDM adds. */
import { wasserstein } from "../../diagnostics.ts";
import {
  brownianBridge,
  entropicTransport,
  eulerMaruyama,
  optimalTransport,
  scoreMatching,
  withScore,
} from "../../flows.ts";
import {
  adam,
  cfm,
  cosineDecay,
  eightGaussians,
  euler,
  fdm,
  type Loss,
  mlp,
  moons,
  type NpyArray,
  product,
  rk4,
  sampleData,
  type TrainerOptions,
  warmUp,
} from "../../index.ts";
import { extremes } from "../report/numbers.ts";
import { columnOf, type Range } from "../report/rows.ts";
import { waysPicture } from "../report/ways.ts";
import { bridgeAt, bridgeEnds, measureWays, type PairedEnds, type Ways } from "./bridge-reference.ts";
import {
  type Contender,
  defineExperiment,
  type Judgement,
  type LossJob,
  type Metric,
  type Settings,
} from "./experiment.ts";

interface BridgeSettings extends Settings {
  readonly width: number;
  readonly layers: number;
  readonly steps: number;
  /** Also the number of points that are paired at once. */
  readonly batch: number;
  readonly rate: number;
  /** Of the divergence term. */
  readonly weight: number;
  /** Diffusion of the bridge. */
  readonly sigma: number;
  /** In each cloud that models are judged by. */
  readonly points: number;
}

interface BridgeContender extends Contender {
  readonly pairs?: "optimal" | "entropic";
  readonly loss?: (settings: BridgeSettings) => Loss;
}

const withDivergence = ({ weight }: BridgeSettings) => fdm({ divergence: weight });

const contenders: Readonly<Record<string, BridgeContender>> = {
  cfm: { title: "CFM", cost: 1, about: "starts and ends drawn apart; the velocity alone", loss: () => cfm() },
  fdm: { title: "FDM", cost: 2, about: "starts and ends drawn apart; velocity and divergence", loss: withDivergence },
  "ot-cfm": {
    ...{ title: "OT-CFM", cost: 3, pairs: "optimal", loss: () => cfm() },
    about: "each batch paired by optimal transport; the velocity alone",
  },
  "ot-fdm": {
    ...{ title: "OT-FDM", cost: 4, pairs: "optimal", loss: withDivergence },
    about: "each batch paired by optimal transport; velocity and divergence",
  },
  bridge: {
    ...{ title: "Bridge", cost: 12, pairs: "entropic" },
    about:
      "each batch's pairs drawn from its entropic plan; velocity and divergence, and the score beside them, so that it can be a diffusion",
    loss: (settings) => scoreMatching(withDivergence(settings)),
  },
  reference: {
    ...{ title: "Reference", cost: 0, isBaseline: true },
    about:
      "no model: other clouds of the reference's own making, which is how near two clouds of so many points come by chance",
  },
};

/** Of the flow's solver; ways are kept at each of its steps, distances taken at every fourth. */
const [SOLVER_STEPS, EVERY] = [32, 4];

const ALL_TIMES = Array.from({ length: SOLVER_STEPS + 1 }, (_, i) => i / SOLVER_STEPS);

/** Euler steps that few-step samples are taken by. */
const FEW_STEPS = [1, 2, 4, 8, 16] as const;

/** The few steps that a metric is of. */
const FEW = 2;

/** Ways that a picture shows. */
const SHOWN = 60;

interface BridgeData {
  readonly starts: NpyArray;
  readonly reference: PairedEnds;
  readonly anew: PairedEnds;
}

export const bridge = defineExperiment<BridgeSettings, BridgeData>({
  name: "bridge",
  summary:
    "eight Gaussians to two moons: pairs drawn apart, by optimal transport, of a Schroedinger bridge, with FDM and without",
  question:
    "How near does a flow from eight Gaussians to two moons come to the Schroedinger bridge, which is optimal transport with a little noise, " +
    "where starts and ends are drawn apart, and where each batch is paired; and does FDM bring it nearer? All train on the Brownian " +
    "bridge, where FDM has a score. The reference is pairs of two large clouds by Sinkhorn's algorithm. Off: exact 2-Wasserstein " +
    "distance to a cloud of it, the mean of t = 0.25, 0.5 and 0.75, and at t = 1. Detour: by how much ways are longer than straight. " +
    "Energy: by how much more a flow takes than optimal transport to where it ends.",
  presets: {
    quick: {
      settings: {
        ...{ width: 64, layers: 3, steps: 4000, batch: 128, rate: 0.003 },
        ...{ weight: 3, sigma: 0.5, points: 1024 },
      },
      seeds: 1,
      cost: "about 4 minutes for all on two cores.",
    },
    standard: {
      settings: {
        ...{ width: 128, layers: 3, steps: 20_000, batch: 256, rate: 0.002 },
        ...{ weight: 3, sigma: 0.5, points: 2048 },
      },
      seeds: 3,
      cost: "about an hour and a half for three seeds of all on two cores.",
    },
    paper: {
      settings: {
        ...{ width: 256, layers: 4, steps: 50_000, batch: 512, rate: 0.001 },
        ...{ weight: 3, sigma: 0.5, points: 4096 },
      },
      seeds: 5,
      cost: "the paper has no such task; this is the longest here, 5 seeds: pairing 512 points at each step takes most of 20 hours on two cores.",
    },
  },
  contenders,
  losses: ["cfm", "fdm", "ot-cfm", "ot-fdm", "bridge", "reference"],
  headline: ["inner", "end", "few"],
  shares: { prepare: 1, judge: 1 },
  paper: [],
  differences: () => [
    "The paper has no such task: it is the usual one for couplings. The divergence term's weight lies between 1 and 10, the better ones of 0.1, 1 and 10 on one seed.",
  ],
  steps: ({ steps }, loss) => (contenders[loss]?.loss ? steps : 0),
  async prepare({ settings: { points, sigma }, evaluationSeed: seed, kept, progress }) {
    const starts = await kept("starts", () => cloudOf(sampleData(eightGaussians(), points, seed), points));
    const reference = await endsOf("reference", points, sigma, seed + 1, kept);
    await progress(0.5, "the reference's pairs");
    return { starts, reference, anew: await endsOf("anew", points, sigma, seed + 3, kept) };
  },
  async train({ settings, loss, fitModel }) {
    const { loss: made, pairs } = contenders[loss] as BridgeContender;
    const { width, layers, steps, batch, rate, sigma } = settings;
    if (!made) return;
    const field = () => mlp({ dimension: 2, hidden: Array.from({ length: layers }, () => width), activation: "silu" });
    const coupling: Pick<TrainerOptions, "coupling"> =
      pairs === "optimal"
        ? { coupling: optimalTransport() }
        : pairs === "entropic"
          ? { coupling: entropicTransport({ regularisation: 2 * sigma ** 2 }) }
          : {};
    await fitModel({
      steps,
      options: {
        network: pairs === "entropic" ? withScore(field(), field()) : field(),
        path: brownianBridge({ sigma }),
        loss: made(settings),
        optimizer: adam({ learningRate: product(rate, warmUp({ steps: 10 }), cosineDecay({ steps, final: 0.01 })) }),
        ...{ start: eightGaussians(), data: moons(), batchSize: batch, ...coupling },
      },
    });
  },
  async judge(job) {
    const { settings, data, loss, evaluationSeed: seed } = job;
    const clouds = cloudsOf(data.reference, settings.sigma, seed + 10);
    const found = loss === "reference" ? await judgeReference(job, clouds) : await judgeFlow(job, clouds);
    return judgementOf(found);
  },
  async pictures({ settings: { points }, models, seeds, array }) {
    const [seed = 0] = seeds;
    const [from, to] = await Promise.all(
      ["reference-from", "reference-to"].map(async (name) => (await array(name, seed)).data),
    );
    const both = Float32Array.from([...(from as Values), ...(to as Values)]);
    const ranges = [0, 1].map((column) => spanOf(columnOf({ values: both, dimension: 2 }, column))) as [Range, Range];
    const shown = Math.min(SHOWN, points);
    const picture = (title: string, style: string, note: string, ways: ArrayLike<number>) =>
      waysPicture({ title, style, note, ways, count: shown }, ranges);
    const straight = [...(from as Values).slice(0, 2 * shown), ...(to as Values).slice(0, 2 * shown)];
    const figures = [picture("The reference's pairs", "exact", "", straight)];
    for (const { loss, title, style, seed: own, array: kept } of models) {
      if (own !== seed || loss === "reference") continue;
      const { data } = await kept("trajectory");
      const ways = ALL_TIMES.flatMap((_, time) => [
        ...(data as Values).slice(2 * points * time, 2 * points * time + 2 * shown),
      ]);
      figures.push(picture(title, style, "", ways));
    }
    return `<div class="row small-multiples ways">${figures.join("")}</div><p class="note">Rings: starts; dots: ends; the same starts for all flows.</p>`;
  },
});

type Values = Float32Array | Float64Array;

/** All values, with room for the dots that are drawn at them. */
function spanOf(values: Float64Array): Range {
  const { least, most } = extremes(values);
  const room = 0.03 * (most - least);
  return { low: least - room, high: most + room };
}

const cloudOf = (values: Values, points: number) => ({ values, shape: [points, 2] });

/** Pairs of two fresh clouds, kept as NAME-from and NAME-to. */
async function endsOf(
  name: string,
  points: number,
  sigma: number,
  seed: number,
  kept: LossJob<BridgeSettings, BridgeData>["kept"],
): Promise<PairedEnds> {
  let made: PairedEnds | undefined;
  const make = () => {
    const cloud = (values: Values) => ({ values, count: points, dimension: 2 });
    made ??= bridgeEnds(
      cloud(sampleData(eightGaussians(), points, seed)),
      cloud(sampleData(moons(), points, seed + 1)),
      sigma,
      seed,
    );
    return made;
  };
  const from = await kept(`${name}-from`, () => cloudOf(make().from, points));
  const to = await kept(`${name}-to`, () => cloudOf(make().to, points));
  return { from: Float32Array.from(from.data), to: Float32Array.from(to.data), count: points, dimension: 2 };
}

/** At the times that distances are taken at. */
function cloudsOf(ends: PairedEnds, sigma: number, seed: number): Float32Array[] {
  return Array.from({ length: SOLVER_STEPS / EVERY }, (_, i) =>
    bridgeAt(ends, (EVERY * (i + 1)) / SOLVER_STEPS, sigma, seed + i),
  );
}

/** What is found of a model; of the reference itself, distances alone. */
interface Found {
  /** To the bridge, by time. */
  readonly distances: readonly number[];
  /** At the end, by numbers of steps. */
  readonly few?: readonly number[];
  readonly ways?: Ways;
  /** The squared 2-Wasserstein distance of the ways' own ends: no way takes less energy. */
  readonly least?: number;
  readonly diffused?: number;
}

type BridgeJob = LossJob<BridgeSettings, BridgeData>;

function distanceOf(first: Values, second: Values, count: number): number {
  const shape = [count, 2];
  return wasserstein({ values: first, shape }, { values: second, shape }).distance;
}

async function judgeReference(job: BridgeJob, clouds: readonly Values[]): Promise<Found> {
  const { data, settings, evaluationSeed: seed, kept } = job;
  const own = cloudsOf(data.anew, settings.sigma, seed + 50);
  const { data: distances } = await kept("distances", () => {
    const values = Float64Array.from(own, (cloud, i) => distanceOf(cloud, clouds[i] as Values, settings.points));
    return { values, shape: [values.length] };
  });
  return { distances: [...(distances as Values)] };
}

async function judgeFlow(job: BridgeJob, clouds: readonly Values[]): Promise<Found> {
  const { data, loss, evaluationSeed: seed, progress, kept, signal } = job;
  const { points, sigma } = job.settings;
  using model = await job.model();
  const start = data.starts.data;
  const { data: trajectory } = await kept("trajectory", async () => {
    const options = { start, solver: rk4({ steps: SOLVER_STEPS }), times: ALL_TIMES, seed, signal };
    const { trajectory } = await model.sample(options);
    return { values: trajectory?.values ?? new Float32Array(0), shape: [ALL_TIMES.length, points, 2] };
  });
  await progress(0.1, "samples");
  const at = (time: number) => trajectory.subarray(2 * points * time, 2 * points * (time + 1)) as Values;
  const distances: number[] = [];
  for (const [i, cloud] of clouds.entries()) {
    distances.push(distanceOf(at(EVERY * (i + 1)), cloud, points));
    await progress(0.1 + (0.5 * (i + 1)) / clouds.length, "distances");
  }
  const end = clouds.at(-1) as Values;
  const few: number[] = [];
  for (const steps of FEW_STEPS) {
    const { values } = await model.sample({ start, solver: euler({ steps }), seed, signal });
    few.push(distanceOf(values, end, points));
    await progress(0.6 + (0.3 * few.length) / FEW_STEPS.length, "few steps");
  }
  const ways = measureWays(trajectory, ALL_TIMES, 2);
  const least = distanceOf(start as Values, at(SOLVER_STEPS), points) ** 2;
  if (loss !== "bridge") return { distances, few, ways, least };
  const solver = eulerMaruyama({ steps: 100, diffusion: () => sigma });
  const { values } = await model.sample({ start, solver, seed, signal });
  return { distances, few, ways, least, diffused: distanceOf(values, end, points) };
}

function judgementOf({ distances, few = [], ways, least = 1, diffused = Number.NaN }: Found): Judgement {
  const times = distances.map((_, i) => (EVERY * (i + 1)) / SOLVER_STEPS);
  const at = (time: number) => distances[times.indexOf(time)] as number;
  const distance = (name: string, title: string, value: number): Metric => ({
    ...{ name, title, value, unit: "data units", better: "lower" },
  });
  const excess = (name: string, title: string, value: number | undefined): Metric => ({
    ...{ name, title, unit: "%", better: "lower", value: value === undefined ? Number.NaN : 100 * (value - 1) },
  });
  const inner = [0.25, 0.5, 0.75];
  const byTime = { name: "byTime", title: "Distance to the bridge", note: "2-Wasserstein, in data units" };
  const bySteps = { name: "bySteps", title: "Few steps", note: "2-Wasserstein distance at the end, in data units" };
  return {
    metrics: [
      distance(
        "inner",
        "off the bridge at inner times",
        inner.reduce((sum, time) => sum + at(time) / inner.length, 0),
      ),
      distance("end", "off at the end", at(1)),
      distance("few", `off at the end, ${FEW} Euler steps`, few[FEW_STEPS.indexOf(FEW)] ?? Number.NaN),
      distance("diffused", "off at the end, by the diffusion", diffused),
      excess("detour", "detour", ways && ways.length / ways.distance),
      excess("energy", "energy beyond optimal transport", ways && ways.energy / least),
    ],
    series: [
      { ...byTime, across: "time t", x: times, y: distances },
      ...(few.length === 0
        ? []
        : [{ ...bySteps, across: "Euler steps, as a power of 2", x: FEW_STEPS.map(Math.log2), y: few }]),
    ],
  };
}
