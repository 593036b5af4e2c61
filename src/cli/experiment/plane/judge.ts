/** How a model of a density of the plane is judged. */
import { slicedWasserstein } from "../../../diagnostics.ts";
import { flowMapConsistency, flowMapSteps } from "../../../flows.ts";
import { type DataSource, euler, type Model, rk4, type Solver, sampleData } from "../../../index.ts";
import { totalVariation, totalVariationBound } from "../../../likelihoods.ts";
import { drawnRows } from "../../report/rows.ts";
import { viewOf } from "../../report/view.ts";
import { meanWithError } from "../../statistics.ts";
import type { Judgement, LossJob, Metric } from "../experiment.ts";
import { planeContenders } from "./contenders.ts";
import type { PlaneSettings } from "./settings.ts";

/** Solves for pictures and bounds need less than for figures. */
const PICTURE_STEPS = 25;

/** The array of held-out points' negative log-likelihoods. */
const NATS = "negative-log-likelihoods";

/** Points that the two samples of a sliced distance have, at most. */
const SLICED_POINTS = 4096;

/** Samples whose log-densities are compared. */
const CONSISTENCY_POINTS = 2048;

export async function judgePlane({
  settings,
  data,
  loss,
  evaluationSeed: seed,
  signal,
  progress,
  kept,
  model: open,
}: LossJob<PlaneSettings, DataSource>): Promise<Judgement> {
  using model = await open();
  const solver = rk4({ steps: settings.solver });
  const solve = { solver, best: false, signal } as const; // the last parameters
  const exact = { ...solve, divergence: "exact" } as const;
  const { isMap = false } = planeContenders[loss] ?? {};
  const inOneStep = { solver: isMap ? flowMapSteps({ steps: 1 }) : euler({ steps: 1 }) };
  const points = sampleData(data, settings.points, seed);
  const samples = await kept("samples", async () => {
    const { values, count } = await model.sample({
      count: settings.points,
      seed,
      ...solve,
      ...(isMap ? inOneStep : {}),
    });
    return { values, shape: [count, 2] };
  });
  await progress(0.1, "samples");
  const { data: nats } = await kept(NATS, async () => {
    const { values } = await model.logDensity(points, exact);
    return { values: values.map((value) => -value), shape: [points.length / 2] };
  });
  await progress(0.3, "likelihoods");
  const view = viewOf(data, drawnRows(data, seed));
  if (view) {
    await kept("density", async () => {
      const { values } = await model.logDensity(view.grid, { ...exact, solver: rk4({ steps: PICTURE_STEPS }) });
      return { values: values.map(Math.exp), shape: [values.length] };
    });
  }
  await progress(0.5, "density");
  const distance = data.logDensity
    ? (await totalVariation(model, data, { points: settings.grid, ...solve })).distance
    : Number.NaN;
  await progress(0.8, "total variation");
  const bound = await totalVariationBound(model, data, {
    ...{ count: 10_000, against: "conditional", best: false, seed, signal },
  });
  await progress(0.9, "its bound");
  const count = Math.min(SLICED_POINTS, settings.points);
  const slicedOf = (values: ArrayLike<number>) =>
    slicedWasserstein(
      { values: Float64Array.from({ length: 2 * count }, (_, i) => values[i] as number), shape: [count, 2] },
      { values: points.subarray(0, 2 * count), shape: [count, 2] },
      { seed, signal },
    );
  const sliced = await slicedOf(samples.data);
  const oneStep = await slicedOf((await model.sample({ count, seed, ...solve, ...inOneStep })).values);
  const likelihoods = Array.from(nats, (value) => Math.exp(-value));
  const metrics: Metric[] = [
    {
      name: "nats",
      title: "negative log-likelihood, held out",
      unit: "nats",
      better: "lower",
      each: NATS,
      ...meanWithError(Array.from(nats)),
    },
    { name: "totalVariation", title: "total variation to the data's density", better: "lower", value: distance },
    {
      name: "slicedWasserstein",
      title: "sliced 2-Wasserstein distance of samples",
      unit: "data units",
      better: "lower",
      value: sliced.distance,
      error: sliced.standardError,
    },
    { name: "likelihood", title: "likelihood of a point, held out", better: "higher", ...meanWithError(likelihoods) },
    {
      name: "bound",
      title: "conditional bound on the total variation up to t = 0.95, to compare by",
      better: "lower",
      value: bound.bound,
      error: bound.standardError,
    },
  ];
  metrics.push({
    name: "oneStep",
    title: "sliced 2-Wasserstein distance of samples in one evaluation",
    unit: "data units",
    better: "lower",
    value: oneStep.distance,
    error: oneStep.standardError,
  });
  if (isMap) metrics.push(...(await consistencyOf(model, solver, seed)));
  return { metrics };
}

/** How far log-densities of samples in one step are from the flow's: what the head says, and what the step really does. */
async function consistencyOf(model: Model, solver: Solver, seed: number): Promise<Metric[]> {
  const [one] = await flowMapConsistency(model, { steps: [1], count: CONSISTENCY_POINTS, seed, solver });
  const metric = (name: string, title: string, way: "head" | "exact"): Metric => {
    const found = one?.errors[way]?.flow;
    const value = { value: found?.mean ?? Number.NaN, error: found?.standardError ?? Number.NaN };
    return { name, title: `${title} in one step, off the flow's`, unit: "nats", better: "lower", ...value };
  };
  return [
    metric("headOff", "the head's log-density of samples", "head"),
    metric("exactOff", "the exact log-density of samples", "exact"),
  ];
}
