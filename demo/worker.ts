/** Trains CFM and FDM in turn, an equal number of steps each, so that the page stays free to draw. */
import { adam, cfm, checkerboard, condOT, createRuntime, createTrainer, fdm, mlp, rk4, sampleData } from "divflow";
import { type FromWorker, type LossName, lossNames, type Said, type Settings, type ToWorker } from "./messages.ts";

type Trainer = Awaited<ReturnType<typeof createTrainer>>;
type Runtime = Awaited<ReturnType<typeof createRuntime>>;

const HIDDEN_LAYERS = 4;
const BATCH_SIZE = 512;
const SAMPLES = 4096;
/** Steps of a turn are chosen so that it takes about this long: short enough to pause at once. */
const TURN_MILLISECONDS = 350;
/** Samples are drawn anew when training has gone on for so long since the last ones. */
const SAMPLES_EVERY_MILLISECONDS = 1500;

const data = checkerboard();
let runtime: Runtime | undefined;
let trainers: ReadonlyMap<LossName, Trainer> = new Map();
let running = false;
let turnSteps = 4;

/** The attempt that the page asked for last, and the one that is worked on. */
let wanted = 0;
let attempt = 0;

function send(said: Said, transfer: Transferable[] = []): void {
  postMessage({ ...said, attempt } satisfies FromWorker, { transfer });
}

/** Messages are handled one at a time, in order; only `pause` acts at once, and what is no longer wanted is left. */
let queue: Promise<void> = Promise.resolve();
addEventListener("message", ({ data: message }: MessageEvent<ToWorker>) => {
  running = message.kind === "start";
  if (message.kind === "pause") return;
  if (message.kind === "prepare") wanted = message.attempt;
  const mine = wanted;
  queue = queue
    .then(async () => {
      if (mine !== wanted) return;
      attempt = mine;
      await (message.kind === "prepare" ? prepare(message.settings) : train());
    })
    .catch(fail);
});

function fail(error: unknown): void {
  running = false;
  if (attempt === wanted) send({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
}

async function prepare(settings: Settings): Promise<void> {
  runtime?.dispose(); // with everything made on it
  trainers = new Map();
  runtime = await createRuntime({ backend: settings.backend });
  const losses = { cfm: cfm(), fdm: fdm({ divergence: settings.divergence }) };
  const made = new Map<LossName, Trainer>();
  for (const name of lossNames) {
    made.set(
      name,
      await createTrainer(runtime, {
        network: mlp({
          dimension: data.dimension,
          hidden: Array.from({ length: HIDDEN_LAYERS }, () => settings.width),
          activation: "silu",
        }),
        path: condOT(),
        loss: losses[name],
        optimizer: adam({ learningRate: 1e-3 }),
        data,
        batchSize: BATCH_SIZE,
        seed: settings.seed,
      }),
    );
  }
  trainers = made;
  turnSteps = 4;
  const truth = sampleData(data, SAMPLES, settings.seed);
  const extent = 1.25 * truth.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  send({ kind: "ready", reason: runtime.reason, truth, extent });
  await sampleAll(settings.seed);
}

async function train(): Promise<void> {
  let sampled = performance.now();
  while (running) {
    const start = performance.now();
    for (const name of lossNames) await turn(name);
    const milliseconds = performance.now() - start;
    turnSteps = Math.max(1, Math.round(turnSteps * Math.min(4, (2 * TURN_MILLISECONDS) / milliseconds)));
    if (performance.now() - sampled > SAMPLES_EVERY_MILLISECONDS) {
      await sampleAll(0);
      sampled = performance.now();
    }
    await new Promise((resolve) => setTimeout(resolve)); // lets `pause` in
  }
  await sampleAll(0);
  send({ kind: "paused" });
}

async function turn(name: LossName): Promise<void> {
  const trainer = trainerOf(name);
  const start = performance.now();
  for await (const { steps, step } of trainer.run({ steps: turnSteps, progressEvery: turnSteps })) {
    const velocityLoss = steps.reduce((sum, { velocityLoss: one }) => sum + one, 0) / steps.length;
    send({ kind: "losses", name, step, velocityLoss, millisecondsPerStep: (performance.now() - start) / turnSteps });
  }
}

/** Fresh samples of both from the same noise. */
async function sampleAll(seed: number): Promise<void> {
  for (const name of lossNames) {
    const trainer = trainerOf(name);
    const { values } = await trainer.model.sample({ count: SAMPLES, solver: rk4({ steps: 12 }), seed });
    send({ kind: "samples", name, step: trainer.step, values, outside: shareOutside(values) }, [values.buffer]);
  }
}

function shareOutside(values: Float32Array): number {
  let outside = 0;
  for (let i = 0; i < values.length; i += 2) {
    if (data.logDensity?.(values.subarray(i, i + 2)) === Number.NEGATIVE_INFINITY) outside++;
  }
  return outside / (values.length / 2);
}

function trainerOf(name: LossName): Trainer {
  const trainer = trainers.get(name);
  if (!trainer) throw new Error("Nothing to train: reset first.");
  return trainer;
}
