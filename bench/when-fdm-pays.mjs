/**
 * When FDM is worth its cost (docs/when-fdm-pays.md): losses, and noise on the rows, held against CFM at equal steps and at equal
 * cost, seed by seed, on points that no training saw.
 *
 *   npm run build && node bench/when-fdm-pays.mjs [--cases "mixture 10-D, 200 rows;two_moons, 500 simulations"] [--methods "cfm;residual 1"]
 *     [--seeds 1,2,3,4] [--equal-steps "slice 0.3;residual 1"]
 *   node bench/when-fdm-pays.mjs --table [--cases ...] [--methods ...] [--against cfm] [--at cost|steps] [--metrics "nats;best"]
 *
 * What a step costs is measured once for each network and method: CPU time of the process, by turns with a step of CFM, the
 * median of the ratios. From then on cost is counted and no clock is read, so that a loaded machine moves nothing. A line for each
 * ratio and each run is kept in bench/results/when-fdm-pays.jsonl; what is there is not done again, and several processes may
 * write to it, for other cases each. `--table` prints mean differences over the seeds, their standard errors and p of the paired t-test.
 */
import { appendFile, readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { cfm, createRuntime, createTrainer } from "divflow";
import { cases, fallingRate } from "./fdm-pays/cases.mjs";
import { methods } from "./fdm-pays/methods.mjs";
import { costTable, overview, parseLines } from "./fdm-pays/table.mjs";
import { fromSource } from "./source.mjs";

/**
 * @typedef {import("./fdm-pays/cases.mjs").Case} Case
 * @typedef {import("./fdm-pays/cases.mjs").Trial} Trial
 * @typedef {import("./fdm-pays/methods.mjs").Method} Method
 * @typedef {import("./fdm-pays/table.mjs").Line} Line
 */

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: cases.map(({ name }) => name).join(";") },
    methods: { type: "string", default: Object.keys(methods).join(";") },
    seeds: { type: "string", default: "1,2,3,4" },
    "equal-steps": { type: "string", default: "slice 0.3;residual 1" },
    against: { type: "string", default: "cfm" },
    at: { type: "string", default: "cost" },
    metrics: { type: "string", default: "nats" },
    table: { type: "boolean", default: false },
  },
});
const listed = (/** @type {string} */ list) => list.split(";").map((name) => name.trim());
const file = new URL("results/when-fdm-pays.jsonl", import.meta.url);

/** @returns {Promise<Line[]>} */
const kept = () =>
  readFile(file, "utf8").then(parseLines, (error) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
const keep = (/** @type {Line} */ line) => appendFile(file, `${JSON.stringify(line)}\n`);

/** What is made of a method, but for loss and rate. @param {Trial} trial @param {Method} method @param {number} seed */
const optionsOf = ({ options }, { jitter, optimizer }, seed) => ({
  ...{ ...options, seed },
  ...(jitter === undefined ? {} : { jitter }),
  ...(optimizer ? { optimizer } : {}),
});

/** Steps of a turn, and turns. */
const [TURN, TURNS] = [60, 9];

/**
 * What a step of the method costs in steps of CFM.
 * @param {import("divflow").Runtime} runtime
 * @param {Case} one
 * @param {string} name
 */
async function costOf(runtime, one, name) {
  if (name === "cfm") return 1;
  const known = (await kept()).find((line) => line.kind === "cost" && line.cost === one.cost && line.method === name);
  if (known?.kind === "cost") return known.ratio;
  const method = /** @type {Method} */ (methods[name]);
  const {
    validation: _,
    validateEvery: _every,
    earlyStopping: _stopping,
    ...options
  } = optionsOf(await one.trial(1), method, 1);
  const trainers = [
    await createTrainer(runtime, { ...options, loss: cfm() }),
    await createTrainer(runtime, { ...options, loss: method.loss() }),
  ];
  const seconds = async (/** @type {import("divflow").Trainer | undefined} */ trainer) => {
    const begun = process.cpuUsage();
    if (trainer) for await (const _progress of trainer.run({ steps: TURN, progressEvery: TURN })) void _progress;
    const { user, system } = process.cpuUsage(begun);
    return (user + system) / 1e6;
  };
  const ratios = [];
  for (let turn = -1; turn < TURNS; turn++) {
    const [first, second] = turn % 2 ? trainers : trainers.toReversed();
    const [a, b] = [await seconds(first), await seconds(second)];
    if (turn >= 0) ratios.push(turn % 2 ? b / a : a / b); // the first turn compiles
  }
  for (const trainer of trainers) trainer.dispose();
  ratios.sort((a, b) => a - b);
  const ratio = Number((ratios[(TURNS - 1) / 2] ?? Number.NaN).toPrecision(4));
  await keep({ kind: "cost", cost: one.cost, method: name, ratio, least: ratios[0] ?? 0, most: ratios.at(-1) ?? 0 });
  return ratio;
}

/**
 * Trains once; at a constant rate one training tells of equal cost on its way to equal steps.
 * @param {import("divflow").Runtime} runtime
 * @param {Case} one
 * @param {string} name
 * @param {number} seed
 * @param {readonly ("cost" | "steps")[]} asked
 */
async function run(runtime, one, name, seed, asked) {
  const method = /** @type {Method} */ (methods[name]);
  const trial = await one.trial(seed);
  const options = optionsOf(trial, method, seed);
  const ratio = await costOf(runtime, one, name);
  const stepsAt = { cost: Math.max(1, Math.round(one.budget / ratio)), steps: one.budget };
  const begun = process.cpuUsage();
  const tell = async (
    /** @type {"cost" | "steps"} */ at,
    /** @type {import("divflow").Trainer} */ trainer,
    steps = trainer.step,
  ) => {
    const seconds = process.cpuUsage(begun).user / 1e6;
    const metrics = await trial.judge(trainer.model, runtime);
    await keep({
      kind: "run",
      case: one.name,
      method: name,
      seed,
      at,
      steps,
      best: trainer.best?.step ?? steps,
      metrics,
      seconds,
    });
    console.log(
      `${new Date().toISOString().slice(11, 19)} ${one.name}, ${name}, seed ${seed}, equal ${at}: ${metrics["nats"]?.toFixed(4)} nats, ${trainer.best?.step ?? steps} of ${steps} steps, ${seconds.toFixed(1)} s`,
    );
    return metrics;
  };
  const train = async (/** @type {import("divflow").Trainer} */ trainer, /** @type {number} */ steps) => {
    for await (const progress of trainer.run({ steps: steps - trainer.step, progressEvery: 1000 })) void progress;
  };
  if (!one.falling) {
    const trainer = await createTrainer(runtime, { ...options, loss: method.loss() });
    for (const at of asked) {
      await train(trainer, stepsAt[at]);
      await tell(at, trainer);
    }
    trainer.dispose();
    return;
  }
  for (const at of asked) {
    // A stage costs what its loss does: of a share of the budget it takes so many steps.
    const stages = (method.stages ?? [{ share: 1, loss: method.loss }]).map(({ share, loss }) => ({
      loss,
      steps: Math.round((share * one.budget) / (loss().name === "cfm" || at === "steps" ? 1 : ratio)),
    }));
    const all = stages.reduce((sum, { steps }) => sum + steps, 0);
    let done = 0;
    /** @type {Uint8Array | undefined} */
    let initial;
    for (const [i, { loss, steps }] of stages.entries()) {
      const trainer = await createTrainer(runtime, {
        ...{ ...options, loss: loss(), optimizer: fallingRate(all, done) },
        ...(initial ? { initial } : {}),
        seed: seed + 100_000 * i, // other batches in the second stage
      });
      await train(trainer, steps);
      done += trainer.step;
      if (i === stages.length - 1) await tell(at, trainer, done);
      else initial = await trainer.model.checkpoint();
      trainer.dispose();
    }
  }
}

if (values.table) {
  const { pairedTest } = await fromSource(`export { pairedTest } from "./src/cli/statistics.ts";`);
  const lines = await kept();
  const names = listed(values.cases);
  const all = listed(values.methods);
  const { against, at } = values;
  if (at !== "cost" && at !== "steps") throw new Error(`--at: got "${at}", expected cost or steps.`);
  console.log(costTable(lines));
  for (const metric of listed(values.metrics)) {
    /** @type {Parameters<typeof overview>[1]} */
    const asked = { cases: names, methods: all, metric, against, at, digits: metric === "best" ? 0 : 3 };
    console.log(`\n${metric}\n\n${overview(lines, asked, pairedTest)}`);
  }
} else {
  const runtime = await createRuntime({ backend: "wasm", threads: 1 });
  const asked = cases.filter(({ name }) => listed(values.cases).includes(name));
  for (const seed of values.seeds.split(",").map(Number)) {
    for (const one of asked) {
      for (const name of listed(values.methods)) {
        if (!methods[name])
          throw new Error(`--methods: got "${name}", expected some of ${Object.keys(methods).join("; ")}.`);
        if (methods[name].stages && !one.falling) continue;
        const done = (await kept()).filter(
          (line) => line.kind === "run" && line.case === one.name && line.method === name && line.seed === seed,
        );
        /** @type {("cost" | "steps")[]} */
        const wanted = listed(values["equal-steps"]).includes(name) ? ["cost", "steps"] : ["cost"];
        const left = wanted.filter((at) => !done.some((line) => line.kind === "run" && line.at === at));
        if (left.length > 0) await run(runtime, one, name, seed, left);
      }
    }
  }
  runtime.dispose();
}
