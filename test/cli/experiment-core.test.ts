/** A tiny experiment of no file through the core: its jobs, what they are given, what is kept, and the report of it. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { conduct, type Plan, runsOf } from "../../src/cli/experiment/conduct.ts";
import { EQUAL_SECONDS, withEqualSeconds } from "../../src/cli/experiment/equal-seconds.ts";
import { defineExperiment, type Preset, type Settings } from "../../src/cli/experiment/experiment.ts";
import { outcomeOf } from "../../src/cli/experiment/outcome-of.ts";
import { reportOf } from "../../src/cli/experiment/report.ts";
import { beQuiet } from "../../src/cli/output.ts";
import { figureOf } from "../../src/cli/report/html.ts";
import {
  ConfigError,
  cfm,
  checkerboard,
  condOT,
  createRuntime,
  fdm,
  type Loss,
  mlp,
  NumericError,
  type Runtime,
  rk4,
  sampleData,
  writeNpy,
} from "../../src/index.ts";

interface FakeSettings extends Settings {
  readonly steps: number;
}

const preset: Preset<FakeSettings> = { settings: { steps: 6 }, seeds: 2, cost: "nothing" };
const losses: Readonly<Record<string, Loss>> = { cfm: cfm(), fdm: fdm() };
/** What jobs were called for. */
let called: string[] = [];
/** The first call for this throws, as a crash would. */
let crashesAt = "";

function call(words: string): void {
  called.push(words);
  if (words !== crashesAt) return;
  crashesAt = "";
  throw new Error(`crash at ${words}`);
}

const options = (loss: Loss) => ({
  ...{ network: mlp({ dimension: 2, hidden: [4] }), path: condOT(), loss, data: checkerboard(), batchSize: 8 },
});

const fake = defineExperiment<FakeSettings, { readonly held: Float32Array | Float64Array }>({
  name: "fake",
  summary: "a line",
  question: "Is <this> asked?",
  presets: { quick: preset, standard: preset, paper: preset },
  contenders: {
    cfm: { title: "CFM", about: "one", cost: 1 },
    fdm: { title: "FDM", about: "two", cost: 2 },
    constant: { title: "Baseline & co", about: "trains nothing", cost: 0 },
  },
  headline: ["error"],
  paper: [{ measure: "their error", figures: { cfm: "1.5", Theirs: "0.5" }, metric: "error", source: "a <paper>" }],
  differences: ({ steps }) => [`${steps} steps, not a million.`],
  steps: ({ steps }, loss) => (loss === "constant" ? 0 : 2 * steps),
  async prepare({ seed, evaluationSeed, kept, fitModel, settings, model, progress }) {
    call(`prepare ${seed}`);
    await fitModel({ name: "encoder", steps: settings.steps, options: options(cfm()) });
    using encoder = await model("encoder");
    const { data: held } = await kept("held-out", () => {
      call(`held-out ${seed}`);
      return { values: sampleData(checkerboard(), encoder.dimension, evaluationSeed), shape: [2, 2] };
    });
    await progress(1);
    return { held };
  },
  async train({ loss, seed, settings, fitModel }) {
    call(`train ${loss} ${seed}`);
    const own = losses[loss];
    if (!own) return;
    await fitModel({ name: "first", steps: settings.steps, options: options(own) });
    await fitModel({ steps: settings.steps, options: options(own) });
  },
  async judge({ loss, seed, data, model, kept }) {
    call(`judge ${loss} ${seed}`);
    let value = 1 + seed;
    if (loss !== "constant") {
      using own = await model();
      const { values } = await own.sample({ noise: data.held, solver: rk4({ steps: 2 }) });
      const array = await kept("velocities", () => ({ values, shape: [2, 2] }));
      value = (array.data[0] as number) ** 2;
    }
    return {
      metrics: [
        { name: "error", title: "squared <error>", unit: "mm", better: "lower", value, error: 0.1 },
        { name: "rate", title: "rate", value: loss === "cfm" ? Number.NaN : 7 },
      ],
      series: [{ name: "curve", title: "A curve", note: "by time", across: "time, s", x: [1, 2, 3], y: [value, 2, 3] }],
    };
  },
  async pictures({ models, array, seeds }) {
    const held = await array("held-out", seeds[0] as number);
    return models
      .map(({ title, style }) => figureOf(title, `${held.shape}`, [{ title, style }], "<svg></svg>"))
      .join("");
  },
});

let runtime: Runtime;
let folder: string;
beforeAll(async () => {
  beQuiet();
  runtime = await createRuntime({ backend: "wasm", threads: 1 });
  folder = await mkdtemp(join(tmpdir(), "divflow-experiment-"));
});
afterAll(async () => {
  runtime.dispose();
  await rm(folder, { recursive: true });
});

const planAt = (name: string, ...chosen: string[]): Plan => ({
  ...{ experiment: withEqualSeconds(fake), preset: "quick", settings: preset.settings, input: "", seeds: [0, 1] },
  ...{ losses: chosen.length > 0 ? chosen : ["cfm", "fdm", "constant"], out: join(folder, name), command: "go on" },
});
const recordsAt = async (name: string) =>
  (await runsOf(planAt(name))).map(({ fitted: _, place: _place, ...rest }) => rest);

test("each job is called once for what it is of, and nothing that is done again", async () => {
  called = [];
  await conduct(runtime, planAt("whole"));
  const of = (seed: number) => [
    ...[`prepare ${seed}`, `held-out ${seed}`],
    ...["cfm", "fdm", "constant"].flatMap((loss) => [`train ${loss} ${seed}`, `judge ${loss} ${seed}`]),
  ];
  expect(called).toEqual([...of(0), ...of(1)]);
  called = [];
  await conduct(runtime, planAt("whole"));
  expect(called).toEqual([]);
  expect((await readdir(join(folder, "whole", "seed-1", "fdm"))).sort()).toEqual([
    ...["config.json", "first", "metrics.jsonl", "model.safetensors", "record.json", "times.csv", "trained.json"],
    "velocities.npy",
  ]);
  const runs = await runsOf(planAt("whole"));
  expect(runs.map(({ loss, seed }) => `${loss} ${seed}`)).toEqual(
    "cfm 0,cfm 1,fdm 0,fdm 1,constant 0,constant 1".split(","),
  );
  expect(runs[0]?.fitted).toMatchObject({ step: 12, stopped: false }); // of both trainings
  const secondsOf = async (...names: string[]) =>
    JSON.parse(await readFile(join(runs[0]?.place as string, ...names, "trained.json"), "utf8")).seconds;
  expect(runs[0]?.fitted?.seconds).toBe((await secondsOf()) + (await secondsOf("first")));
  expect(runs[0]?.judgement.metrics[1]?.value).toBeNaN(); // null in JSON, which has no NaN
  expect(runs[4]?.fitted).toBeUndefined();
});

test.each(["prepare 1", "held-out 0", "train fdm 0", "judge fdm 0", "judge constant 1"])(
  "a crash at %s changes no record",
  async (at) => {
    const name = at.replaceAll(" ", "-");
    [called, crashesAt] = [[], at];
    await expect(conduct(runtime, planAt(name))).rejects.toThrow(`crash at ${at}`);
    await conduct(runtime, planAt(name));
    expect(await recordsAt(name)).toEqual(await recordsAt("whole"));
    expect(called.filter((one) => one === at)).toHaveLength(2);
  },
);

test("seeds share nothing, losses all that comes before them", async () => {
  const config = async (seed: number, loss: string) =>
    JSON.parse(await readFile(join(folder, "whole", `seed-${seed}`, loss, "config.json"), "utf8"));
  expect(await config(1, "fdm")).toMatchObject({ experiment: "fake", loss: { name: "fdm" }, seed: 1, steps: 6 });
  const held = (seed: number) => readFile(join(folder, "whole", `seed-${seed}`, "data", "held-out.npy"));
  expect(await held(0)).not.toEqual(await held(1));
});

test("metrics of one name are refused", async () => {
  const judge = async () => ({
    metrics: [
      { name: "a", title: "a", value: 1 },
      { name: "a", title: "b", value: 2 },
    ],
  });
  const plan = { ...planAt("twice", "cfm"), experiment: { ...fake, judge } };
  await expect(conduct(runtime, plan)).rejects.toThrow(/the metric a twice/);
});

test("a model that is no longer finite is said to be so, and the others go on", async () => {
  const judge: typeof fake.judge = async (job) => {
    if (job.loss !== "fdm" || job.seed === 1) return fake.judge(job);
    throw new NumericError({ subject: "samples", given: "NaN", expected: "finite numbers", remedy: "Train less." });
  };
  const plan = { ...planAt("diverged"), experiment: { ...fake, judge } };
  await conduct(runtime, plan);
  const outcome = await outcomeOf(plan, runtime);
  expect(outcome.runs.map(({ judgement }) => judgement.metrics.length)).toEqual([2, 2, 0, 2, 2, 2]);
  expect(reportOf(outcome)).toContain("FDM, seed 0, has no figures: samples: got &#34;NaN&#34;");
  expect(outcome.differences.find(({ metric, loss }) => metric === "error" && loss === "fdm")?.seeds).toEqual([1]);
  const broken = { ...fake, judge: async () => Promise.reject(new ConfigError({ ...facts })) };
  await expect(conduct(runtime, { ...planAt("broken"), experiment: broken })).rejects.toThrow(ConfigError);
});

const facts = { subject: "a", given: "b", expected: "c", remedy: "d" };

test("CFM at equal seconds has the steps that were measured once", { timeout: 30_000 }, async () => {
  const plan = { ...planAt("seconds", "cfm", EQUAL_SECONDS), seeds: [0] };
  await conduct(runtime, plan);
  const steps = (await runsOf(plan))[1]?.fitted?.step as number;
  expect(steps).toBeGreaterThanOrEqual(3);
  const place = join(folder, "seconds", "seed-0", EQUAL_SECONDS);
  // Another measurement would be another number: this one is read.
  await writeFile(join(place, "steps-for-seconds.npy"), writeNpy(Float64Array.of(2.5), [1]));
  for (const file of ["trained.json", "record.json", "model.safetensors", "metrics.jsonl"]) await rm(join(place, file));
  await conduct(runtime, plan);
  const trained = async (...names: string[]) =>
    JSON.parse(await readFile(join(place, ...names, "trained.json"), "utf8")).step;
  expect(await trained()).toBe(15);
  expect((await runsOf(plan))[1]?.fitted?.step).toBe(15 + (await trained("first")));
});

test("the report has what it should, and no other file", async () => {
  const outcome = await outcomeOf(planAt("whole"), runtime);
  const html = reportOf(outcome);
  for (const words of [
    ...[
      "Is &#60;this&#62; asked?",
      "Baseline &#38; co",
      "squared &#60;error&#62;, mm, lower is better",
      "a &#60;paper&#62;",
    ],
    ...[
      "their error: Theirs",
      ">here<",
      "6 steps, not a million.",
      "A curve",
      "seconds of training",
      "p, Welch",
      "trains nothing",
    ],
    ...["paired over 2 seeds", "seed 1", "go on"],
  ]) {
    expect(html).toContain(words);
  }
  expect(html).not.toMatch(/NaN|undefined|Infinity|https?:|<script|<link|src="(?!data:)/);
  expect(outcome.document).toMatchObject({
    experiment: "fake",
    results: [{ loss: "cfm", seed: 0, steps: 12 }, {}, {}, {}, {}, {}],
    differences: expect.arrayContaining([
      expect.objectContaining({ loss: "constant", against: "fdm", metric: "error" }),
    ]),
  });
});
