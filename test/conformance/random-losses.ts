/**
 * Devices that are lost at random: while something is computed, compiled or read, and in between, one to three in a row,
 * with or without an adapter that comes at once. What a call then gives is held against what it gives undisturbed.
 */
import {
  adamW,
  arrayData,
  cfm,
  condOT,
  createRuntime,
  DeviceLostError,
  ema,
  euler,
  evaluateLosses,
  load,
  mlp,
  type Runtime,
  resume,
  type StepMetrics,
  type Trainer,
  type TrainerOptions,
} from "../../src/index.ts";
import { Random } from "../reliability/random.mjs";
import { assert, assertEqual } from "./assert.ts";
import { through, watched } from "./watched-gpu.ts";

const values = Float32Array.from({ length: 2 * 24 }, (_, i) => 2 * Math.sin(i * i) + (i % 2));
const data = () => arrayData(values, [24, 2], { standardize: true });

/** Rows held out that make a validation short. */
const heldOut = arrayData(
  Float32Array.from({ length: 2 * 1024 }, (_, i) => Math.cos(i * i)),
  [1024, 2],
);

const resuming = { data: data(), validation: heldOut };

/** Kinds of training, small: a lost device compiles all anew. Aborts come in the first alone, as they skip validations. */
const variants: readonly (() => TrainerOptions)[] = [
  () => ({ network: mlp({ dimension: 2, hidden: [3] }), path: condOT(), loss: cfm(), data: data(), batchSize: 9 }),
  () => ({
    network: mlp({ dimension: 2, hidden: [3] }),
    path: condOT(),
    loss: cfm(),
    data: data(),
    batchSize: 8,
    ema: ema({ decay: 0.6 }),
    optimizer: adamW({ learningRate: 0.02 }),
    validation: heldOut,
    validateEvery: 3,
    jitter: 0.1,
  }),
];
const snapshots = [undefined, 1, 4, 1000] as const;

/** Steps that a case trains at most. */
const STEPS = 12;

const points = [0.1, -0.4, 1, 2, 0, 0.5];
const losses = { data: data(), loss: cfm(), batchSize: 6, batches: 2 };

/** What reads a trainer's state, and gives what can be compared. */
const readers: Readonly<Record<string, (trainer: Trainer, runtime: Runtime) => Promise<unknown>>> = {
  checkpoint: (trainer) => trainer.checkpoint(),
  "a model's checkpoint": ({ model }) => model.checkpoint(),
  sample: async ({ model }) => (await model.sample({ count: 5, solver: euler({ steps: 3 }), logDensity: true })).values,
  trajectory: async ({ model }) =>
    (await model.sample({ noise: points, solver: euler({ steps: 6 }), times: [0.3, 1] })).trajectory?.values,
  "adaptive sample": async ({ model }) => (await model.sample({ count: 3, seed: 4 })).values,
  logDensity: async ({ model }) => (await model.logDensity(points, { solver: euler({ steps: 4 }) })).values,
  encode: async ({ model }) => (await model.encode(points, { solver: euler({ steps: 4 }) })).values,
  velocity: ({ model }) => model.velocity(points, [0.1, 0.5, 1]),
  evaluateLosses: async ({ model }, runtime) => Object.values(await evaluateLosses(runtime, model, losses)),
  describe: (trainer) => trainer.describe(),
  load: async ({ model }, runtime) => {
    using loaded = await load(runtime, await model.checkpoint());
    return (await loaded.sample({ count: 4, solver: euler({ steps: 3 }) })).values;
  },
  resume: async (trainer, runtime) => {
    using resumed = await resume(runtime, await trainer.checkpoint(), resuming);
    return await resumed.checkpoint();
  },
};

/** What a variant of training is after each step, on a device that stays, and what is read of it there. */
class Undisturbed {
  readonly rows: readonly StepMetrics[];
  readonly #runtime: Runtime;
  readonly #files: readonly Uint8Array[];
  readonly #read = new Map<string, Promise<unknown>>();

  private constructor(runtime: Runtime, rows: readonly StepMetrics[], files: readonly Uint8Array[]) {
    this.#runtime = runtime;
    this.rows = rows;
    this.#files = files;
  }

  static async of(runtime: Runtime, options: TrainerOptions): Promise<Undisturbed> {
    using trainer = await runtime.createTrainer(options);
    const files = [await trainer.checkpoint()];
    const rows: StepMetrics[] = [];
    for await (const { steps } of trainer.run({ steps: STEPS, progressEvery: 1 })) {
      rows.push(...steps);
      files.push(await trainer.checkpoint());
    }
    return new Undisturbed(runtime, rows, files);
  }

  file(step: number): Uint8Array {
    const file = this.#files[step];
    assert(file, `there is no step ${step}.`);
    return file;
  }

  /** What this reader gives after so many steps. */
  async after(step: number, name: string): Promise<unknown> {
    const key = `${name} ${step}`;
    const known = this.#read.get(key);
    if (known) return known;
    const made = (async () => {
      using trainer = await resume(this.#runtime, this.file(step), resuming);
      return await readers[name]?.(trainer, this.#runtime); // before the trainer goes
    })();
    this.#read.set(key, made);
    return made;
  }
}

/** A GPU whose devices are destroyed as a seed has it. */
class Mortal {
  readonly gpu: GPU;
  lost = 0;
  readonly #random: Random;
  #current: GPUDevice | undefined;
  /** Losses to come, and calls of a device until the next. */
  #left = 0;
  #calls = Number.POSITIVE_INFINITY;
  /** Times that no adapter is given after a loss. */
  #refusals = 0;

  constructor(gpu: GPU, random: Random) {
    this.#random = random;
    const seen = watched(gpu, { push: (device) => this.#watch(device) });
    this.gpu = through(seen, {
      requestAdapter: async (options: GPURequestAdapterOptions) => {
        if (this.lost === 0 || this.#refusals-- <= 0) return seen.requestAdapter(options);
        if (this.#refusals % 2 === 0) return null;
        throw new DOMException("the GPU process is not there", "OperationError");
      },
    });
  }

  /** So many losses from now on: the first at once, or after some calls of the device; those behind it soon after. */
  async arm(losses: number): Promise<void> {
    this.#left = losses;
    this.#refusals = this.#random.of([0, 0, 0, 1, 2]);
    if (this.#random.uniform() < 0.35) {
      this.#lose();
      if (this.#random.uniform() < 0.5) await new Promise((resolve) => setTimeout(resolve, this.#random.integer(20)));
    } else this.#aim(this.#random.of([6, 60, 300]));
  }

  /** What has not come by now never does. */
  disarm(): void {
    this.#left = 0;
  }

  #aim(most: number): void {
    this.#calls = this.#random.integer(most);
  }

  #lose(): void {
    if (this.#left-- <= 0) return;
    this.lost++;
    this.#current?.destroy();
    if (this.#left > 0) this.#aim(this.#random.of([3, 60]));
  }

  #watch(device: GPUDevice): void {
    this.#current = device;
    const tick = () => {
      if (device !== this.#current || this.#left <= 0 || this.#calls-- > 0) return;
      const when = this.#random.integer(4);
      if (when === 0) this.#lose();
      else if (when === 1) queueMicrotask(() => this.#lose());
      else setTimeout(() => this.#lose(), when === 2 ? 0 : 5 * this.#random.uniform());
      this.#calls = Number.POSITIVE_INFINITY;
    };
    for (const name of [
      ...(["createBuffer", "createCommandEncoder", "createComputePipelineAsync"] as const),
      ...(["createBindGroup", "createShaderModule"] as const),
    ]) {
      ticking(device, name, tick);
    }
    for (const name of ["submit", "writeBuffer", "onSubmittedWorkDone"] as const) ticking(device.queue, name, tick);
  }
}

/** Has `tick` called before each call of a method of this object. */
function ticking<Name extends string>(object: Record<Name, unknown>, name: Name, tick: () => void): void {
  const method = (object[name] as (...given: unknown[]) => unknown).bind(object);
  object[name] = (...given: unknown[]) => {
    tick();
    return method(...given);
  };
}

/** How a case ended: its number of losses, and whether all went as undisturbed or a DeviceLostError was among it. */
export interface Ending {
  readonly kind: string;
  readonly outcome: string;
}

/** One after the other by seed, on one platform. */
export class RandomLosses {
  readonly #gpu: GPU;
  readonly #undisturbed = new Map<number, Promise<Undisturbed>>();
  readonly #runtime: Promise<Runtime>;

  constructor(gpu: GPU) {
    this.#gpu = gpu;
    this.#runtime = createRuntime({ backend: "webgpu", gpu });
  }

  async dispose(): Promise<void> {
    (await this.#runtime).dispose();
  }

  /** Throws when something is older, or other than it is undisturbed, or an error of no type. */
  async tryOne(seed: number): Promise<Ending> {
    const random = new Random(seed);
    const variant = random.of([0, 0, 1]);
    const options = variants[variant] as () => TrainerOptions;
    const runtime = await this.#runtime;
    if (!this.#undisturbed.has(variant)) this.#undisturbed.set(variant, Undisturbed.of(runtime, options()));
    const undisturbed = (await this.#undisturbed.get(variant)) as Undisturbed;
    const mortal = new Mortal(this.#gpu, random);
    const subject = await createRuntime({ backend: "webgpu", gpu: mortal.gpu });
    let errors = 0;
    const done: string[] = [];
    try {
      const snapshotEvery = random.of(snapshots);
      if (random.uniform() < 0.2) await mortal.arm(1);
      const trainer = await subject.createTrainer({ ...options(), ...(snapshotEvery && { snapshotEvery }) });
      const armed = [1 + random.integer(2), 3 + random.integer(2)]; // before which calls
      for (let call = 1; call < 6; call++) {
        const before = trainer.step;
        if (armed.includes(call)) await mortal.arm(1 + random.integer(3));
        const name = random.uniform() < 0.45 || call === 1 ? "run" : random.of(Object.keys(readers));
        done.push(name);
        try {
          if (name === "run") await trainSome(trainer, undisturbed, random, variant === 0);
          else {
            const given = await readers[name]?.(trainer, subject);
            mortal.disarm(); // the other runtime's device is another one, but this case is done with its losses
            assertEqual(trainer.step, before, "step");
            assertSame(given, await undisturbed.after(before, name), `${name} after step ${before}`);
          }
        } catch (error) {
          if (!(error instanceof DeviceLostError)) throw error;
          assert(trainer.step >= before, `a ${name} that failed went from step ${before} back to ${trainer.step}.`);
          errors++;
        }
      }
      mortal.disarm();
      assertSame(await trainer.checkpoint(), undisturbed.file(trainer.step), `the file of step ${trainer.step}`);
    } catch (cause) {
      throw new Error(`${done.join(", ")} (${mortal.lost} losses): ${cause}`, { cause });
    } finally {
      subject.dispose();
    }
    return { kind: `${mortal.lost} losses`, outcome: errors > 0 ? "DeviceLostError" : "same bits" };
  }
}

/** Some steps, to their end or left or aborted on the way: each is told once, as it was, and step is the last of them. */
async function trainSome(trainer: Trainer, { rows }: Undisturbed, random: Random, aborts: boolean): Promise<void> {
  const before = trainer.step;
  const steps = Math.min(1 + random.integer(5), STEPS - before);
  const progressEvery = random.of([1, 2, 3, 100]);
  const end = random.of(aborts ? ["ends", "ends", "left", "aborted"] : ["ends", "ends", "left"]);
  const abort = new AbortController();
  const reason = new Error("enough");
  const told: StepMetrics[] = [];
  try {
    for await (const report of trainer.run({ steps, progressEvery, signal: abort.signal })) {
      told.push(...report.steps);
      if (end === "left") break;
      if (end === "aborted") abort.abort(reason);
    }
    assert(end !== "ends" || told.length === steps, `${told.length} steps of ${steps} were told.`);
  } catch (error) {
    if (error !== reason) throw error;
  } finally {
    assertEqual(trainer.step, before + told.length, "step");
    assertEqual(JSON.stringify(told), JSON.stringify(rows.slice(before, trainer.step)), "metrics");
  }
}

function assertSame(given: unknown, expected: unknown, subject: string): void {
  assert(expected !== undefined, `${subject}: nothing to hold it against.`);
  assertEqual(given, expected, subject);
}
