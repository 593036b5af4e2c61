/** Judges a model of trajectories: what it makes of its own, after first states, and guided to an event. */
import { midpointTimes, onGrid } from "../../../flows.ts";
import { dopri5, heun, type Model, type Solver } from "../../../index.ts";
import { defineGuidance } from "../../../networks.ts";
import { median } from "../../statistics.ts";
import type { Judgement, LossJob, Metric } from "../experiment.ts";
import { EARLIER, type TrajectoryData } from "./data.ts";
import {
  beginningsOf,
  defectOf,
  estimateOf,
  histogramDistance,
  relativeErrors,
  shareAboveZero,
  spanOf,
  type Trajectories,
  trajectoryOf,
} from "./measures.ts";
import type { TrajectorySettings } from "./settings.ts";
import { statisticsOf, type TrajectorySystem } from "./system.ts";

/** The network of continuations, where it is one of its own. */
export const CONTINUES = "continues";

/** Parts of the statistic's histograms, over the span of the held-out trajectories'. */
export const PARTS = 20;

/** The array of held-out trajectories' negative log-likelihoods per dimension. */
const NATS = "negative-log-likelihoods";

/** Trajectories that are held against their system's own motion. */
const FOLLOWED = 100;

export async function judgeTrajectories(
  system: TrajectorySystem,
  job: LossJob<TrajectorySettings, TrajectoryData>,
): Promise<Judgement> {
  const { settings, data, evaluationSeed: seed, signal, progress, kept } = job;
  const { length, given, networks, tolerance } = settings;
  const coordinates = system.coordinates.length;
  const shaped = (values: ArrayLike<number>): Trajectories => ({ values, length, coordinates });
  const rows = (count: number) => Float64Array.from(data.heldOut.values).subarray(0, count * length * coordinates);
  const adaptive = dopri5({ relativeTolerance: tolerance, absoluteTolerance: tolerance });
  const solver = settings.heun > 0 ? heunOf(settings.heun) : adaptive;
  using model = await job.model();
  using continues = networks === 1 ? undefined : await job.model(CONTINUES);
  const untold = networks === 1 ? { conditions: { [EARLIER]: null } } : {};

  const { data: nats } = await kept(NATS, async () => {
    const options = {
      ...untold,
      solver: adaptive,
      seed,
      signal,
      divergence: "hutchinson",
      probes: settings.probes,
    } as const;
    const { values } = await model.logDensity(rows(settings.likelihoods), options);
    return { values: values.map((value) => -value / (length * coordinates)), shape: [values.length] };
  });
  await progress(0.3, "likelihoods");
  const made = await kept("samples", () =>
    samplesOf(model, { ...untold, count: settings.samples, solver, seed, signal }),
  );
  await progress(0.5, "samples");
  const truth = shaped(rows(settings.continued));
  const continued = await kept("continued", () => {
    const conditions = { [EARLIER]: beginningsOf(truth, given) };
    return samplesOf(continues ?? model, { conditions, count: settings.continued, solver, seed, signal });
  });
  await progress(0.6, "continuations");
  const guided = await kept("guided", () => {
    const guide = defineGuidance({ name: `event of ${system.name}`, build: system.event.build });
    const count = settings.guided;
    return samplesOf(model, { ...untold, count, guide, solver: heun({ steps: settings.guidedSteps }), seed, signal });
  });
  await progress(0.9, "guided samples");
  const { set } = system;
  const ownMotion: readonly Metric[] =
    set === "mixture-trajectories"
      ? []
      : [
          {
            name: "defect",
            title: "how far steps miss the system, beside their length",
            better: "lower",
            value: await defectOf(set, shaped(made.data), FOLLOWED, () => progress(0.95, "their system")),
          },
        ];

  const statistics = statisticsOf(system, shaped(made.data));
  const guidedStatistics = statisticsOf(system, shaped(guided.data));
  await kept("sample-statistics", () => ({ values: statistics, shape: [statistics.length] }));
  await kept("guided-statistics", () => ({ values: guidedStatistics, shape: [guidedStatistics.length] }));
  const errors = relativeErrors(shaped(continued.data), truth, given);
  const bins = { range: spanOf(data.statistics), parts: PARTS };
  const events = Array.from(data.statistics).filter((value) => value > 0);
  const [counted, sampled] = [shareAboveZero(data.statistics), shareAboveZero(statistics)];
  const metrics: Metric[] = [
    {
      name: "nats",
      title: "negative log-likelihood per dimension, held out",
      unit: "nats",
      better: "lower",
      each: NATS,
      ...estimateOf(nats),
    },
    {
      name: "medianNats",
      title: "its median over trajectories",
      unit: "nats",
      better: "lower",
      value: median([...nats]),
    },
    {
      name: "continuation",
      title: `relative error after ${given} states, mean over the others`,
      better: "lower",
      ...estimateOf(errors.byTrajectory),
    },
    {
      name: "statisticDistance",
      title: "total variation of the event's statistic, generated to true",
      better: "lower",
      value: histogramDistance(statistics, data.statistics, bins),
    },
    ...excessOf(system, nats, shaped(rows(settings.likelihoods))),
    ...ownMotion,
    { name: "events", title: "share of samples with the event", ...sampled },
    {
      name: "eventGap",
      title: "difference to the share of true trajectories",
      better: "lower",
      value: Math.abs(sampled.value - counted.value),
      error: Math.hypot(sampled.error, counted.error),
    },
    {
      name: "guidedEvents",
      title: "share of guided samples with the event",
      better: "higher",
      ...shareAboveZero(guidedStatistics),
    },
    {
      name: "guidedDistance",
      title: "total variation of its statistic, guided to true ones with the event",
      better: "lower",
      value:
        events.length === 0
          ? Number.NaN
          : histogramDistance(guidedStatistics, events, { ...bins, range: spanOf([0, ...events]) }),
    },
  ];
  const byStep = {
    name: "error",
    title: `Error after ${given} states`,
    note: "relative error of a generated continuation to the true one, mean over held-out trajectories",
    across: "time",
    x: errors.bySteps.map((_, step) => step * system.timeStep),
    y: errors.bySteps,
  };
  return { metrics, series: [byStep] };
}

/** How far likelihoods are from the exact ones of the same trajectories: an estimate of the divergence of Kullback and Leibler. */
function excessOf(system: TrajectorySystem, nats: ArrayLike<number>, heldOut: Trajectories): readonly Metric[] {
  if (!system.logDensity) return [];
  const size = heldOut.length * heldOut.coordinates;
  const beyond = Array.from(
    nats,
    (own, row) => own + (system.logDensity?.(trajectoryOf(heldOut, row)) as number) / size,
  );
  const title = "its excess over the exact density's, per dimension";
  return [{ name: "excess", title, unit: "nats", better: "lower", ...estimateOf(beyond) }];
}

/** On the published program's times, (k + 1/2) / n. */
function heunOf(steps: number): Solver {
  return onGrid(heun({ steps }), midpointTimes(steps));
}

async function samplesOf(model: Model, options: Parameters<Model["sample"]>[0]) {
  const { values, shape } = await model.sample(options);
  return { values, shape };
}
