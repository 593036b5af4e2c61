/**
 * What the heap and the device hold before and after long use of an engine, for memory.test.ts: objects are counted after
 * forced collections. Runs in a process of its own, by .build/platforms/run.mjs.
 */
import { cfm, createRuntime, type DeviceMemory, euler, mlp, type Runtime, type Trainer } from "../../src/index.ts";
import { countObjects, Kept } from "../collect.mjs";
import type { Context } from "../conformance/check.ts";
import { watched } from "../conformance/watched-gpu.ts";
import { smallOptions } from "../engine/small.ts";
import { remoteEngine } from "../engine/worker.ts";

export interface Work {
  readonly samples: number;
  readonly checkpoints: number;
  readonly steps: number;
}

export interface Input {
  /** Through messages that are cloned, as a page's engine is used; on this thread, so that both ends are counted. */
  readonly worker: boolean;
  readonly work: Work;
  /** So many samples are then drawn, each of another number of points. */
  readonly counts: number;
}

export interface Held {
  /** Of what inherits from each of these. */
  readonly objects: Readonly<Record<string, number>>;
  /** Bytes of array buffers. */
  readonly bytes: number;
  readonly device: DeviceMemory;
}

/** Pipelines that a collection leaves, of how many that were made. */
export interface Pipelines {
  readonly live: number;
  readonly made: number;
}

export interface Report {
  /** What is held after little of the work, and after all of it. */
  readonly before: Held;
  readonly after: Held;
  /** Steps that progress told of. */
  readonly reported: number;
  /** Before and after the samples of many counts. */
  readonly pipelines: readonly [before: Pipelines, after: Pipelines];
}

const solver = euler({ steps: 2 });

export async function run(context: Context & { input: Input }, report: (value: Report) => void): Promise<void> {
  const { worker, work, counts } = context.input;
  const kept = new Kept();
  const gpu = context.gpu && watched(context.gpu, [], (pipeline) => kept.note(pipeline));
  const runtime = worker
    ? (await remoteEngine("wasm")).runtime
    : await createRuntime({ backend: context.backend, ...(gpu ? { gpu } : {}) });
  const trainer = await runtime.createTrainer(
    smallOptions({ network: mlp({ dimension: 2, hidden: [4] }), loss: cfm() }),
  );
  await use(trainer, { samples: 10, checkpoints: 2, steps: 300 });
  const before = await held(runtime);
  const reported = await use(trainer, work);
  const after = await held(runtime);
  const pipelines = async (): Promise<Pipelines> => ({ live: await kept.count(), made: kept.noted });
  const first = await pipelines();
  for (let i = 0; i < counts; i++) await trainer.model.sample({ count: 10 + 10 * i, solver });
  report({ before, after, reported, pipelines: [first, await pipelines()] });
}

/** Returns the steps that were reported. */
async function use(trainer: Trainer, { samples, checkpoints, steps }: Work): Promise<number> {
  const { signal } = new AbortController(); // one for many calls, as a page's button has it
  for (let i = 0; i < samples; i++) await trainer.model.sample({ count: 1 + (i % 3), solver, signal });
  for (let i = 0; i < checkpoints; i++) await trainer.checkpoint();
  let reported = 0;
  for await (const progress of trainer.run({ steps, progressEvery: 100, signal })) reported += progress.steps.length;
  return reported;
}

async function held(runtime: Runtime): Promise<Held> {
  const device = await runtime.memory();
  return { device, objects: await countObjects(), bytes: process.memoryUsage().arrayBuffers };
}
