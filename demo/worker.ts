/** Trains CFM and FDM in turn, an equal number of steps each, so that the page stays free to draw. */
import {
  adam,
  cfm,
  checkerboard,
  condOT,
  createRuntime,
  createTrainer,
  fdm,
  mlp,
  product,
  rk4,
  sampleData,
  staircase,
  warmUp,
} from "divflow";
import {
  type FromWorker,
  type Kept,
  type LossName,
  lossNames,
  type News,
  type Settings,
  type Support,
  type ToWorker,
} from "./messages.ts";
import { Sampling } from "./sampling.ts";

type Trainer = Awaited<ReturnType<typeof createTrainer>>;
type Runtime = Awaited<ReturnType<typeof createRuntime>>;

const HIDDEN_LAYERS = 4;
const BATCH_SIZE = 512;
/** It falls slowly and without end, as the end is the visitor's choice: by half in 7,000 steps. */
const LEARNING_RATE = product(5e-3, warmUp({ steps: 100 }), staircase({ factor: 0.999, every: 10 }));
/** What a GPU that was lost has to come back, as long as a visitor waits. */
const START_SECONDS = 10;
const TRUTH_POINTS = 4096;
/** Cells along a side of the support's picture. */
const SUPPORT_SIZE = 256;
/** Steps of a turn are chosen so that it takes about this long: short enough to pause at once. */
const TURN_MILLISECONDS = 350;
/** Samples are drawn anew when training has gone on for so long since the last ones. */
const SAMPLES_EVERY_MILLISECONDS = 1200;

const data = checkerboard();

/** What one `prepare` made. */
interface Attempt {
  readonly number: number;
  readonly seed: number;
  readonly runtime: Runtime;
  /** What the page was told of it. */
  reason: string;
  readonly trainers: ReadonlyMap<LossName, Trainer>;
  readonly sampling: Sampling;
  /** Of training so far, by model. */
  readonly seconds: Record<LossName, number>;
}

/** The number of the last `prepare` heard of; what belongs to another is dropped. */
let latest = 0;
let current: Attempt | undefined;
/** Whether the visitor wants training to go on: set as messages come, looked at between turns. */
let running = false;

/** Work is done one piece after another, in the order of its messages. */
let queue: Promise<void> = Promise.resolve();
addEventListener("message", ({ data: message }: MessageEvent<ToWorker>) => {
  running = message.kind === "start";
  if (message.kind === "pause") return;
  if (message.kind === "prepare") latest = message.attempt;
  const number = latest;
  queue = queue
    .then(() => (message.kind === "prepare" ? prepare(number, message.settings) : train(number)))
    .catch((error) => {
      running = false;
      return fail(number, error);
    });
});

function send(attempt: number, news: News, transfer: Transferable[] = []): void {
  const message: FromWorker = { ...news, attempt };
  postMessage(message, { transfer });
}

/** What can still be had of the models goes with the message: the runtime keeps them when their device is gone. */
async function fail(number: number, error: unknown): Promise<void> {
  const kept: Kept[] = [];
  for (const [name, trainer] of current?.number === number ? current.trainers : []) {
    if (trainer.step === 0) continue;
    try {
      const bytes = Uint8Array.from(await trainer.checkpoint());
      kept.push({ name, step: trainer.step, bytes });
    } catch {} // the message says what is wrong; what is not listed was not kept
  }
  send(number, { kind: "failed", message: error instanceof Error ? error.message : String(error), kept });
}

async function prepare(number: number, settings: Settings): Promise<void> {
  current?.runtime.dispose(); // with everything made on it
  current = undefined;
  if (number !== latest) return; // another one waits already
  const runtime = await createRuntime({ backend: settings.backend, fallback: "wasm", startSeconds: START_SECONDS });
  const trainers = new Map<LossName, Trainer>();
  current = {
    ...{ number, seed: settings.seed, runtime, reason: runtime.reason, trainers },
    ...{ sampling: new Sampling(), seconds: { cfm: 0, fdm: 0 } },
  };
  for (const name of lossNames) {
    if (number !== latest) return;
    trainers.set(name, await createTrainer(runtime, trainerOptions(name, settings)));
  }
  const truth = Float32Array.from(sampleData(data, TRUTH_POINTS, settings.seed));
  const extent = 1.15 * truth.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  send(number, { kind: "ready", reason: runtime.reason, truth, extent, support: supportWithin(extent) });
  await sampleAll(current);
}

function trainerOptions(name: LossName, { width, divergence, seed }: Settings) {
  return {
    network: mlp({
      dimension: data.dimension,
      hidden: Array.from({ length: HIDDEN_LAYERS }, () => width),
      activation: "silu",
    }),
    path: condOT(),
    loss: name === "cfm" ? cfm() : fdm({ divergence, form: "slice", detachVelocity: true }),
    optimizer: adam({ learningRate: LEARNING_RATE }),
    data,
    batchSize: BATCH_SIZE,
    seed,
  };
}

async function train(number: number): Promise<void> {
  const attempt = current;
  if (attempt?.number !== number) return;
  let turnSteps = 1;
  let sampled = performance.now();
  while (running && number === latest) {
    const start = performance.now();
    for (const name of lossNames) await turn(attempt, name, turnSteps);
    sayWhereItRuns(attempt);
    const milliseconds = performance.now() - start;
    turnSteps = Math.max(1, Math.round(turnSteps * Math.min(4, TURN_MILLISECONDS / milliseconds)));
    if (performance.now() - sampled > SAMPLES_EVERY_MILLISECONDS) {
      await sampleAll(attempt);
      sampled = performance.now();
    }
    await new Promise((resolve) => setTimeout(resolve)); // lets messages in
  }
  if (number !== latest) return;
  await sampleAll(attempt);
  sayWhereItRuns(attempt);
  send(number, { kind: "paused" });
}

/** After a loss the runtime is on another device, or on WebAssembly. */
function sayWhereItRuns(attempt: Attempt): void {
  const { reason } = attempt.runtime;
  if (reason === attempt.reason) return;
  attempt.reason = reason;
  send(attempt.number, { kind: "moved", reason });
}

async function turn({ number, trainers, seconds }: Attempt, name: LossName, turnSteps: number): Promise<void> {
  const trainer = trainers.get(name) as Trainer;
  const start = performance.now();
  for await (const { steps, step } of trainer.run({ steps: turnSteps, progressEvery: turnSteps })) {
    const velocityLoss = steps.reduce((sum, { velocityLoss: one }) => sum + one, 0) / steps.length;
    const milliseconds = performance.now() - start;
    seconds[name] += milliseconds / 1000;
    const millisecondsPerStep = milliseconds / turnSteps;
    send(number, { kind: "losses", name, step, velocityLoss, millisecondsPerStep, seconds: seconds[name] });
  }
}

/** Samples of both from the same noise, again while the device turns out to have time for more. */
async function sampleAll({ number, seed, trainers, sampling }: Attempt): Promise<void> {
  let more = true;
  while (more && number === latest) {
    const { count, steps } = sampling.effort;
    let slowest = 0;
    for (const [name, trainer] of trainers) {
      const { seconds, ...drawn } = await trainer.model.sample({ count, solver: rk4({ steps }), seed });
      const values = Float32Array.from(drawn.values);
      slowest = Math.max(slowest, 1000 * seconds);
      const outside = shareOutside(values);
      send(number, { kind: "samples", name, step: trainer.step, values, outside }, [values.buffer]);
    }
    more = sampling.measured(slowest);
  }
}

function shareOutside(values: Float32Array): number {
  let outside = 0;
  for (let i = 0; i < values.length; i += 2) if (!isInside(values.subarray(i, i + 2))) outside++;
  return outside / (values.length / 2);
}

function isInside(point: ArrayLike<number>): boolean {
  return data.logDensity?.(point) !== Number.NEGATIVE_INFINITY;
}

function supportWithin(extent: number): Support {
  const size = SUPPORT_SIZE;
  const at = (cell: number) => extent * ((2 * cell + 1) / size - 1);
  const cells = Uint8Array.from({ length: size * size }, (_, i) => {
    return isInside([at(i % size), -at(Math.floor(i / size))]) ? 1 : 0;
  });
  return { size, cells };
}
