/** dispose() in the middle of a call: the call ends soon, with a DisposedError, and nothing stays on the device. */
import {
  arrayData,
  cfm,
  condOT,
  createRuntime,
  DisposedError,
  type Model,
  mlp,
  type Runtime,
  rk4,
  type Trainer,
  type TrainerOptions,
} from "../../src/index.ts";
import { assert, assertEqual } from "./assert.ts";
import type { Check, Context } from "./check.ts";

/** Waiting tasks let by before dispose(): that many awaits of the call are behind it. */
const waits = [0, 4, 11];

/** Seconds in which a call must end after dispose(), on a loaded machine. */
const LONGEST = 20;

interface Made {
  readonly runtime: Runtime;
  readonly trainer: Trainer;
  readonly model: Model;
}

const rows = arrayData(Array.from({ length: 24 }, (_, i) => [Math.sin(i * i), Math.cos(i)]));
const settings: TrainerOptions = {
  network: mlp({ dimension: 2, hidden: [8] }),
  path: condOT(),
  loss: cfm(),
  data: rows,
  validation: 0.5,
  validateEvery: 2,
  batchSize: 8,
  snapshotEvery: 1,
  seed: 1,
};
const solver = rk4({ steps: 2 });

/** What is called again and again, until it fails. */
const works: Readonly<Record<string, (made: Made) => Promise<unknown>>> = {
  run: async ({ trainer }) => {
    for await (const _ of trainer.run({ steps: 3 })) void _; // with a validation on the way
  },
  "a trainer's checkpoint": ({ trainer }) => trainer.checkpoint(),
  "sample of a trainer's model": ({ trainer }) => trainer.model.sample({ count: 3, solver }),
  sample: ({ model }) => model.sample({ count: 3, solver, times: [0.5, 1] }),
  logDensity: ({ model }) => model.logDensity([1, 2, 3, 4], { solver }),
  "a model's checkpoint": ({ model }) => model.checkpoint(),
  evaluateLosses: ({ runtime, model }) =>
    runtime.evaluateLosses(model, { data: rows, loss: cfm(), batchSize: 8, batches: 2 }),
};

const task = () => new Promise((resolve) => setTimeout(resolve));

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await (i % 3 === 2 ? task() : undefined);
}

async function inTime<Value>(work: Promise<Value>, subject: string): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${subject}: still waiting ${LONGEST} s later.`)), LONGEST * 1000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

const errorOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

function assertDisposed(error: unknown, subject: string): void {
  assert(error instanceof DisposedError, `${subject}: got ${error}, expected a DisposedError.`);
}

function runtimeOf({ backend, gpu }: Context): Promise<Runtime> {
  return createRuntime({ backend, ...(gpu ? { gpu } : {}) });
}

async function make(runtime: Runtime): Promise<Made> {
  const trainer = await runtime.createTrainer(settings);
  return { runtime, trainer, model: await runtime.loadModel(await trainer.model.checkpoint()) };
}

/** Calls until a call fails. */
async function repeated(work: () => Promise<unknown>): Promise<never> {
  for (; ; await task()) await work();
}

export const checks: Check[] = [
  {
    name: "dispose of a trainer or model in the middle of any call is a DisposedError of that call",
    seconds: 120,
    async run(context) {
      const runtime = await runtimeOf(context);
      try {
        for (const [name, work] of Object.entries(works)) {
          for (const wait of waits) {
            const subject = `${name}, disposed of after ${wait} turns`;
            const made = await make(runtime);
            if (wait > 0) await work(made); // so that the next calls find their programs built
            const outcome = errorOf(repeated(() => work(made)));
            await turns(wait);
            made.trainer.dispose();
            made.model.dispose();
            assertDisposed(await inTime(outcome, subject), subject);
            assertDisposed(await inTime(errorOf(work(made)), subject), `${subject}, and called again`);
          }
        }
        // Buffers to read back through are kept for the next read; a program left at each try would be dozens.
        const { buffers } = await runtime.memory();
        assert(buffers <= 8, `${buffers} buffers are left.`);
      } finally {
        runtime.dispose();
      }
    },
  },
  {
    // All calls at once, some in the middle of their work, some while their programs are compiled: a device made anew
    // compiles anew, which is slow in software.
    name: "dispose of the runtime in the middle of calls is a DisposedError of each",
    seconds: 180,
    async run(context) {
      for (const wait of waits) {
        const runtime = await runtimeOf(context);
        try {
          const made = await make(runtime);
          const outcomes = Object.entries(works).map(
            ([name, work]) =>
              [`${name}, disposed of after ${wait} turns`, errorOf(repeated(() => work(made)))] as const,
          );
          await turns(wait);
          runtime.dispose();
          for (const [subject, outcome] of outcomes) assertDisposed(await inTime(outcome, subject), subject);
        } finally {
          runtime.dispose();
        }
      }
    },
  },
  {
    name: "dispose of the runtime while a trainer or a model is made is a DisposedError",
    seconds: 120,
    async run(context) {
      const first = await runtimeOf(context);
      const file = await (await first.createTrainer(settings)).checkpoint();
      first.dispose();
      const makers: Readonly<Record<string, (runtime: Runtime) => Promise<unknown>>> = {
        createTrainer: (runtime) => runtime.createTrainer(settings),
        resumeTrainer: (runtime) => runtime.resumeTrainer(file, { data: rows }),
        loadModel: (runtime) => runtime.loadModel(file),
      };
      for (const [name, maker] of Object.entries(makers)) {
        for (const wait of waits.slice(0, 2)) {
          const runtime = await runtimeOf(context);
          const subject = `${name}, disposed of after ${wait} turns`;
          let isMade = false;
          const outcome = errorOf(maker(runtime).then(() => (isMade = true)));
          await turns(wait);
          runtime.dispose();
          const error = await inTime(outcome, subject);
          if (!isMade) assertDisposed(error, subject);
          else assertEqual(error, undefined, subject);
        }
      }
    },
  },
];
