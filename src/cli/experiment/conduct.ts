/**
 * Runs an experiment: for each seed the data once, then each loss's training and judging by the same rule. Whatever is done is
 * in the folder, and found there by the next process: a killed one loses no more than its training's last save.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { ConfigError, DivflowError, type ErrorCode, load, type Runtime } from "../../index.ts";
import { makeFolder, readBytes } from "../files.ts";
import { remark } from "../output.ts";
import { duration, progressBar } from "../progress.ts";
import { interruption } from "../signals.ts";
import type { Experiment, Fitted, Job, Judgement, PresetName, Settings } from "./experiment.ts";
import { fitInto, modelFile, trainedFile } from "./fit.ts";
import { isThere, keptArray, keptText, placeOfData, placeOfLoss, readJson, writeJson } from "./places.ts";
import { Schedule, type Task } from "./schedule.ts";

/** What is to be run, checked. */
export interface Plan {
  readonly experiment: Experiment;
  readonly preset: PresetName;
  readonly settings: Settings;
  readonly input: string;
  readonly losses: readonly string[];
  readonly seeds: readonly number[];
  readonly out: string;
  /** The command that goes on. */
  readonly command: string;
}

/** The seed of everything that is drawn for judging is this far from the run's. */
const EVALUATION_SEED_OFFSET = 1_000_003;

/** Shares of a CFM training that the other jobs take, where an experiment does not say. */
const SHARES = { prepare: 0.05, judge: 0.2 };

const recordFile = (folder: string) => join(folder, "record.json");

/** Makes all models of a plan and judges them. @throws an AbortError when a signal ends it. */
export async function conduct(runtime: Runtime, plan: Plan): Promise<void> {
  const { experiment, losses, seeds, out } = plan;
  const schedule = new Schedule(tasksOf(plan));
  const warnings = new Set<string>();
  for (const seed of seeds) {
    const places = losses.map((loss) => placeOfLoss(out, seed, loss));
    const judged = await Promise.all(places.map((place) => isThere(recordFile(place))));
    let data: unknown;
    const make = (place: string, title: string, steps: number, loss?: string) =>
      jobOf({ runtime, plan, seed, place, title, steps, schedule, warnings, ...(loss === undefined ? {} : { loss }) });
    if (judged.every(Boolean)) schedule.pass();
    else {
      const title = `${experiment.name}, seed ${seed}: data`;
      const { job, end } = make(placeOfData(out, seed), title, 0);
      data = await end(() => experiment.prepare(job));
    }
    for (const [i, loss] of losses.entries()) {
      const place = places[i] as string;
      if (judged[i]) {
        schedule.pass((await secondsOf(place)) || undefined);
        schedule.pass();
        continue;
      }
      const { title: name } = experiment.contenders[loss] as { title: string };
      const title = `${experiment.name}, seed ${seed}: ${name}`;
      const training = make(place, title, experiment.steps(plan.settings, loss), loss);
      const failed = await failureOf(["numeric"], () =>
        training.end(() => experiment.train({ ...training.job, loss, data })),
      );
      const judging = make(place, `${title} judged`, 0, loss);
      let judgement: Judgement = { metrics: [] };
      const failure =
        failed ??
        (await failureOf(["numeric", "stiffness", "data"], async () => {
          judgement = await judging.end(() => experiment.judge({ ...judging.job, loss, data }));
        }));
      judging.stop();
      if (failure !== undefined) remark(`${title}: ${failure} It has no figures; the others go on.`);
      await makeFolder("--out", place); // what trains nothing and keeps nothing has made none
      const record = failure === undefined ? checked(experiment, judgement) : { metrics: [], failed: failure };
      await writeJson(recordFile(place), record);
    }
  }
}

/**
 * What was wrong with a model, in words, where it was an error of these kinds: a loss that leaves f32, or samples that are none.
 * One of many is no reason to lose the others.
 */
async function failureOf(codes: readonly ErrorCode[], does: () => Promise<void>): Promise<string | undefined> {
  try {
    await does();
    return undefined;
  } catch (error) {
    if (error instanceof DivflowError && codes.includes(error.code)) return error.message;
    throw error;
  }
}

/** In the order of {@link conduct}. */
function tasksOf({ experiment, settings, losses, seeds }: Plan): Task[] {
  const { shares = {}, contenders } = experiment;
  const steps = (loss: string) => experiment.steps(settings, loss);
  const usual = Math.max(1, ...losses.map(steps));
  return seeds.flatMap(() => [
    { kind: "prepare", work: usual * (shares.prepare ?? SHARES.prepare) },
    ...losses.flatMap((loss) => [
      { kind: `train ${loss}`, work: Math.max(1, steps(loss) * (contenders[loss]?.cost ?? 1)) },
      { kind: "judge", work: usual * (shares.judge ?? SHARES.judge) },
    ]),
  ]);
}

interface JobContext {
  readonly runtime: Runtime;
  readonly plan: Plan;
  readonly seed: number;
  readonly place: string;
  readonly title: string;
  /** Of all its trainings. */
  readonly steps: number;
  readonly loss?: string;
  readonly schedule: Schedule;
  readonly warnings: Set<string>;
}

/** A job, and what does it and ends it. */
function jobOf(context: JobContext) {
  const { runtime, plan, seed, place, title, steps, schedule, warnings, loss } = context;
  const { experiment, settings, input, command } = plan;
  const asked = interruption();
  const { signal } = asked;
  const bar = steps > 0 ? undefined : progressBar(title, 100);
  let stepsDone = 0;
  const left = () => (schedule.left === undefined ? "" : `, all done in ${duration(schedule.left)}`);
  schedule.begin();
  const fitPlace = (name = "") => (name === "" ? place : join(place, name));
  const job: Job<Settings> = {
    ...{ runtime, settings, input, seed, signal, evaluationSeed: seed + EVALUATION_SEED_OFFSET },
    async progress(done, note) {
      schedule.reach(done);
      bar?.update(Math.round(100 * done), [note, left().slice(2)].filter(Boolean).join(", "));
      await turn();
      signal.throwIfAborted();
    },
    kept: (name, make) => keptArray(place, name, make),
    keptText: (name, make) => keptText(place, name, make),
    async fitModel(fit) {
      const before = stepsDone;
      let isFirst = true;
      const share = (step: number) => Math.min(1, (before + step) / Math.max(1, steps));
      const onSteps = (step: number) => {
        if (isFirst) schedule.skip(share(step));
        else schedule.reach(share(step));
        isFirst = false;
        return left();
      };
      const own = fit.name ? `${title}, ${fit.name}` : title;
      const config = { experiment: experiment.name, ...(loss === undefined ? {} : { loss }), settings, input };
      const warn = (warning: string) => {
        if (!warnings.has(warning)) remark(warning);
        warnings.add(warning);
      };
      const fitted = await fitInto(fit, {
        ...{ runtime, seed, signal, command, onSteps, config, warn, title: own, folder: fitPlace(fit.name) },
      });
      if (isFirst) schedule.skip(share(fit.steps));
      stepsDone = before + fit.steps;
      return fitted;
    },
    async model(name) {
      const file = modelFile(fitPlace(name));
      return load(runtime, await readBytes(file), { source: file });
    },
  };
  const stop = () => {
    bar?.stop();
    asked.dispose();
  };
  return {
    job,
    async end<Result>(does: () => Promise<Result>): Promise<Result> {
      try {
        const result = await does();
        signal.throwIfAborted();
        schedule.end();
        bar?.update(100, "");
        return result;
      } finally {
        stop();
      }
    },
    stop,
  };
}

/** Seconds of all trainings of a place. */
async function secondsOf(place: string): Promise<number> {
  return (await fittedOf(place))?.seconds ?? 0;
}

/** The name of a metric is its key in all that follows: none may be there twice. */
function checked({ name, headline }: Experiment, judgement: Judgement): Judgement {
  const names = judgement.metrics.map((metric) => metric.name);
  const twice = names.find((one, i) => names.indexOf(one) !== i);
  const missing = names.length === 0 ? headline[0] : undefined;
  if (twice === undefined && missing === undefined) return judgement;
  throw new ConfigError({
    subject: `judge of the experiment ${name}`,
    given: twice === undefined ? "no metrics" : `the metric ${twice} twice`,
    expected: "metrics of different names",
    remedy: "Give each a name of its own.",
  });
}

/** A model of a plan that is judged, as its folder has it. */
export interface Run {
  readonly seed: number;
  readonly loss: string;
  readonly place: string;
  readonly judgement: Judgement;
  /** Of its trainings, steps and seconds of several summed; undefined where there is none. */
  readonly fitted: Fitted | undefined;
}

/** All runs of a plan, in the order of losses, then seeds; those that are not done are left out. */
export async function runsOf({ losses, seeds, out }: Pick<Plan, "losses" | "seeds" | "out">): Promise<Run[]> {
  const runs: Run[] = [];
  for (const loss of losses) {
    for (const seed of seeds) {
      const place = placeOfLoss(out, seed, loss);
      const found = await readJson<Judgement>(recordFile(place));
      if (!found) continue;
      const metrics = found.metrics.map((one) => ({ ...one, value: one.value ?? Number.NaN }));
      const judgement = { ...found, metrics };
      runs.push({ seed, loss, place, judgement, fitted: await fittedOf(place) });
    }
  }
  return runs;
}

/** Of a place's own model and of those that were trained for it, in folders of their own. */
async function fittedOf(place: string): Promise<Fitted | undefined> {
  const entries = await readdir(place, { withFileTypes: true });
  const folders = entries.filter((one) => one.isDirectory()).map(({ name }) => join(place, name));
  const found = await Promise.all([place, ...folders].map((one) => readJson<Fitted>(trainedFile(one))));
  const [own = found.find(Boolean)] = found;
  const all = found.filter((one) => one !== undefined);
  const sum = (value: (one: Fitted) => number) => all.reduce((total, one) => total + value(one), 0);
  return own && { ...own, step: sum(({ step }) => step), seconds: sum(({ seconds }) => seconds) };
}
