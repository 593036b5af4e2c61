// What is made of a lost device where it is lost: between calls, while a state is brought to the host, before anybody is
// told. The same bits as undisturbed or a DeviceLostError, and never an older model. No clock is read here.
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { createReferenceBackend } from "../../src/backends/reference/backend.ts";
import { everyBackend } from "../../src/engine/choose-backend.ts";
import { createLocalRuntime, LocalRuntime } from "../../src/engine/runtime.ts";
import {
  arrayData,
  ConfigError,
  createRuntime,
  DeviceLostError,
  ema,
  euler,
  OutOfMemoryError,
  type Runtime,
  type RuntimeOptions,
  type Trainer,
  UnsupportedError,
} from "../../src/index.ts";
import { type Manner, mortal, mortalRuntime } from "./mortal.ts";
import { smallOptions, trainSteps, withRuntime } from "./small.ts";
import { remoteEngine } from "./worker.ts";

const facts = { subject: "kernel", given: "Device lost", expected: "a compiler", remedy: "None." };

/** Every DOMException has a code, a number; an abort of the device is not one of the caller's. */
const manners: readonly (readonly [string, Manner])[] = [
  ["hangs", "hangs"],
  ["an Error", new Error("mapAsync failed")],
  ["an OperationError", new DOMException("the device was lost", "OperationError")],
  ["an AbortError", new DOMException("A valid external Instance reference no longer exists.", "AbortError")],
  ["an UnsupportedError of a kernel", new UnsupportedError(facts)],
  ["an OutOfMemoryError", new OutOfMemoryError(facts)],
];

const data = arrayData(
  Float64Array.from({ length: 40 }, (_, i) => Math.sin(i * i)),
  [20, 2],
);
const options = () => smallOptions({ data, ema: ema({ decay: 0.7 }), snapshotEvery: 100 });
const solver = euler({ steps: 3 });
const points = [0.1, -0.4, 1, 2];

/** Every operation that reads a trainer's state. */
const operations: Readonly<Record<string, (trainer: Trainer, runtime: Runtime) => Promise<unknown>>> = {
  "a trainer's checkpoint": (trainer) => trainer.checkpoint(),
  "a model's checkpoint": ({ model }) => model.checkpoint(),
  sample: async ({ model }) => (await model.sample({ count: 3, solver, logDensity: true })).values,
  "sample with the last parameters": async ({ model }) =>
    (await model.sample({ count: 3, solver, best: false, ema: false })).values,
  encode: async ({ model }) => (await model.encode(points, { solver })).values,
  logDensity: async ({ model }) => (await model.logDensity(points, { solver })).values,
  velocity: ({ model }) => model.velocity(points, [0.2, 0.8]),
  evaluateLosses: ({ model }, runtime) =>
    runtime.evaluateLosses(model, { data, loss: options().loss, batchSize: 8, batches: 2 }),
  "a warm start": async ({ model }, runtime) => {
    const next = await runtime.createTrainer({ ...options(), initial: model });
    return trainSteps(next, 2);
  },
  "more steps": async (trainer) => [await trainSteps(trainer, 3), await trainer.checkpoint()],
};
const names = Object.keys(operations);
/** One for each way to the state. */
const few = ["a trainer's checkpoint", "sample", "more steps"];

/** What each gives after nine steps on a device that stays. */
const expected = new Map<string, unknown>();

beforeAll(async () => {
  await withRuntime("reference", async (runtime) => {
    for (const name of names) {
      const trainer = await runtime.createTrainer(options());
      await trainSteps(trainer, 9);
      expected.set(name, await operations[name]?.(trainer, runtime));
    }
  });
});

describe.each(manners)("a device that is lost and then answers: %s", (_name, manner) => {
  test.each(manner === "hangs" ? names : few)("after a run has ended: %s is as if it were not", async (name) => {
    using made = mortalRuntime(manner);
    const trainer = await made.runtime.createTrainer(options());
    await trainSteps(trainer, 9);
    made.devices.at(-1)?.lose();
    expect(await operations[name]?.(trainer, made.runtime)).toEqual(expected.get(name));
    expect(trainer.step).toBe(name === "more steps" ? 12 : 9);
  });

  test.each((manner === "hangs" ? names : few).slice(0, -1))(
    "in the middle of a run, at a report: %s",
    async (name) => {
      using made = mortalRuntime(manner);
      const trainer = await made.runtime.createTrainer(options());
      const seen: number[] = [];
      for await (const { step, steps } of trainer.run({ steps: 12, progressEvery: 3 })) {
        seen.push(...steps.map((row) => row.step));
        if (step !== 9) continue;
        made.devices.at(-1)?.lose();
        expect(await operations[name]?.(trainer, made.runtime)).toEqual(expected.get(name));
        expect(trainer.step).toBe(9);
      }
      expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
      expect([await trainer.checkpoint()]).toEqual((expected.get("more steps") as unknown[]).slice(1));
    },
  );

  test.each(["left by break", "thrown out of", "aborted"])(
    "as a run is %s: its state is that of its last report",
    async (how) => {
      using made = mortalRuntime(manner);
      const trainer = await made.runtime.createTrainer(options());
      const abort = new AbortController();
      const fault = new Error("of the caller");
      const run = async () => {
        for await (const { step } of trainer.run({ steps: 12, progressEvery: 3, signal: abort.signal })) {
          if (step !== 9) continue;
          made.devices.at(-1)?.lose();
          if (how === "aborted") abort.abort(fault);
          else if (how === "left by break") break;
          else throw fault;
        }
      };
      if (how === "left by break") await run();
      else await expect(run()).rejects.toBe(fault);
      expect(trainer.step).toBe(9);
      expect(await trainer.checkpoint()).toEqual(expected.get("a trainer's checkpoint"));
    },
  );
});

test.each(["hangs", new Error("mapAsync failed")] as const)(
  "validations come again, and what was best: %s",
  async (manner) => {
    const validated = { ...options(), validation: 0.25, validateEvery: 2 };
    const undisturbed = await withRuntime("reference", async (runtime) => {
      const trainer = await runtime.createTrainer(validated);
      await trainSteps(trainer, 5);
      return { best: trainer.best, file: await trainer.checkpoint(), more: await trainSteps(trainer, 1) };
    });
    using made = mortalRuntime(manner);
    const trainer = await made.runtime.createTrainer(validated);
    for await (const { step } of trainer.run({ steps: 9, progressEvery: 5 })) {
      made.devices.at(-1)?.lose();
      expect(step).toBe(5);
      break;
    }
    expect(trainer.best).toEqual(undisturbed.best);
    expect(await trainer.checkpoint()).toEqual(undisturbed.file);
    made.devices.at(-1)?.lose();
    expect(await trainSteps(trainer, 1)).toEqual(undisturbed.more);
  },
);

describe("what the host has", () => {
  /** A trainer after nine steps whose device is lost, and no other is to be had until `come` is called. */
  async function gone(change: object = {}) {
    let isThere = false;
    let tries = 0;
    const made = mortalRuntime(new Error("mapAsync failed"), {
      renewSeconds: 0.4,
      renew: async () => {
        tries++;
        if (!isThere) throw new UnsupportedError({ ...facts, subject: "WebGPU", given: "no adapter" });
        return createReferenceBackend();
      },
      ...change,
    });
    const trainer = await made.runtime.createTrainer(options());
    return {
      ...made,
      trainer,
      tries: () => tries,
      come: () => {
        isThere = true;
      },
    };
  }

  test("after a run is its last step: files need no device", async () => {
    const { trainer, runtime, devices, tries } = await gone();
    using _ = runtime;
    await trainSteps(trainer, 9);
    devices.at(-1)?.lose();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await trainer.checkpoint()).toEqual(expected.get("a trainer's checkpoint"));
    expect(await trainer.model.checkpoint()).toEqual(expected.get("a model's checkpoint"));
    expect([trainer.step, tries()]).toEqual([9, 0]);
  });

  test("is a model's as it begins its work, so that no device is needed for a file in the middle of a run", async () => {
    const { trainer, runtime, devices } = await gone();
    using _ = runtime;
    for await (const { step } of trainer.run({ steps: 12, progressEvery: 3 })) {
      if (step !== 9) continue;
      await trainer.model.velocity(points, [0.2, 0.8]);
      devices.at(-1)?.lose();
      expect(await trainer.checkpoint()).toEqual(expected.get("a trainer's checkpoint"));
      break;
    }
  });

  test("is given for want of a device, and step says of which step it is; then training goes on from there", async () => {
    const { trainer, runtime, devices, tries, come } = await gone();
    using _ = runtime;
    const run = trainer.run({ steps: 12, progressEvery: 3 });
    for (let i = 0; i < 3; i++) await run.next();
    devices.at(-1)?.lose();
    await expect(run.next()).rejects.toThrow(DeviceLostError);
    expect(tries()).toBeGreaterThan(1);
    expect(trainer.step).toBe(9); // as it was told: no file was written yet
    await expect(trainer.model.sample({ count: 2 })).rejects.toThrow(DeviceLostError);
    const file = await trainer.checkpoint();
    expect(trainer.step).toBe(0);
    come();
    using other = await createLocalRuntime({ backend: "reference" });
    expect((await other.resumeTrainer(file, { data })).step).toBe(0);
    await trainSteps(trainer, 9);
    expect(await trainer.checkpoint()).toEqual(expected.get("a trainer's checkpoint"));
  });

  test("and no file was written: when a device comes, the state is that of the last report", async () => {
    const { trainer, runtime, devices, come } = await gone();
    using _ = runtime;
    const run = trainer.run({ steps: 12, progressEvery: 3 });
    for (let i = 0; i < 3; i++) await run.next();
    devices.at(-1)?.lose();
    await expect(run.next()).rejects.toThrow(DeviceLostError);
    come();
    expect((await trainer.model.sample({ count: 3, solver, logDensity: true })).values).toEqual(expected.get("sample"));
    expect(trainer.step).toBe(9);
  });

  test("the error says why there is no other, in one sentence however often it is asked", async () => {
    const { trainer, runtime, devices } = await gone();
    using _ = runtime;
    await trainSteps(trainer, 1);
    devices.at(-1)?.lose();
    const messages: string[] = [];
    for (let i = 0; i < 3; i++) {
      messages.push((await trainer.model.sample({ count: 2 }).catch((error: Error) => error.message)) as string);
    }
    expect(messages[0]).toContain('got "a loss, and then no adapter", expected another one within 0.4 s');
    expect(messages[1]).toContain('got "a loss, and then no adapter", expected another one by now');
    expect(messages[2]).toBe(messages[1]);
  });

  test("an abort ends the wait for a device, and another call finds one", async () => {
    const { trainer, runtime, devices, come } = await gone({ renewSeconds: 60 });
    using _ = runtime;
    await trainSteps(trainer, 9);
    devices.at(-1)?.lose();
    const abort = new AbortController();
    const asked = trainer.model.sample({ count: 3, solver, logDensity: true, signal: abort.signal });
    setTimeout(() => abort.abort("enough"), 30);
    await expect(asked).rejects.toBe("enough");
    come();
    expect((await trainer.model.sample({ count: 3, solver, logDensity: true })).values).toEqual(expected.get("sample"));
  });

  test("dispose() ends the wait too", async () => {
    const { trainer, runtime, devices } = await gone({ renewSeconds: 60 });
    await trainSteps(trainer, 1);
    devices.at(-1)?.lose();
    const asked = trainer.model.sample({ count: 2 });
    setTimeout(() => runtime.dispose(), 30);
    await expect(asked).rejects.toThrow("dispose()");
  });

  test("fallback: WebAssembly goes on from there, and says so", async () => {
    const wasm = () => createLocalRuntime({ backend: "wasm" });
    const { createWasmBackend } = await import("../../src/backends/wasm/backend.ts");
    const { trainer, runtime, devices } = await gone({
      fallback: async (why: string) => ({ backend: await createWasmBackend(), reason: `WebAssembly, for ${why}.` }),
    });
    using _ = runtime;
    await trainSteps(trainer, 9);
    const file = await trainer.checkpoint();
    devices.at(-1)?.lose();
    using fresh = await wasm();
    const same = await fresh.resumeTrainer(file, { data });
    expect(await trainSteps(trainer, 3)).toEqual(await trainSteps(same, 3));
    expect([runtime.backend, runtime.reason]).toEqual(["wasm", "WebAssembly, for a loss, and then no adapter."]);
    expect(runtime.device).toBe(fresh.device);
  });

  test("a fallback that fails is a DeviceLostError, and files are still to be had", async () => {
    const { trainer, runtime, devices } = await gone({ fallback: () => Promise.reject(new TypeError("no server")) });
    using _ = runtime;
    await trainSteps(trainer, 9);
    devices.at(-1)?.lose();
    await expect(trainer.model.sample({ count: 2 })).rejects.toThrow(DeviceLostError);
    expect(await trainer.checkpoint()).toEqual(expected.get("a trainer's checkpoint"));
  });
});

describe("in a worker", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  /** An engine whose first device lives until it is lost, with no other behind it. */
  async function remote(more: Pick<RuntimeOptions, "fallback">) {
    vi.stubGlobal("navigator", { gpu: {} });
    const first = mortal("hangs");
    const left = [first.backend];
    const webgpu = {
      async createWebGPUBackend() {
        const backend = left.shift();
        if (backend) return { ...backend, name: "webgpu" };
        throw new UnsupportedError({ ...facts, given: "no adapter" });
      },
    };
    const modules = { ...everyBackend, webgpu: async () => webgpu } as never;
    const made = await remoteEngine("webgpu", { startSeconds: 0.4, ...more }, () => {}, modules);
    return { ...made, first };
  }

  test("a page knows what its runtime has become", async () => {
    const { runtime, first } = await remote({ fallback: "wasm" });
    using _ = runtime;
    const trainer = await runtime.createTrainer(options());
    await trainSteps(trainer, 9);
    expect(runtime.backend).toBe("webgpu");
    first.lose();
    await trainSteps(trainer, 1);
    expect(runtime.backend).toBe("wasm");
    expect(runtime.device).toContain("WebAssembly");
    expect(runtime.reason).toBe("WebAssembly on the CPU, as the GPU was lost: a loss, and then no adapter.");
    expect(trainer.step).toBe(10);
  });

  test.each(["a trainer's", "a model's"])(
    "and of which step %s file is that is given for want of a device",
    async (whose) => {
      const { runtime, first } = await remote({});
      using _ = runtime;
      const trainer = await runtime.createTrainer(options());
      const run = trainer.run({ steps: 12, progressEvery: 3 });
      for (let i = 0; i < 3; i++) await run.next();
      first.lose();
      await expect(run.next()).rejects.toThrow(DeviceLostError);
      expect(trainer.step).toBe(9);
      await (whose === "a trainer's" ? trainer : trainer.model).checkpoint();
      expect(trainer.step).toBe(0);
      expect(trainer.model.step).toBe(0);
    },
  );
});

describe("another device", () => {
  test("is asked for again when it is refused, or lost at once", async () => {
    let tries = 0;
    using made = mortalRuntime("hangs", {
      renew: async () => {
        if (++tries === 1) throw new UnsupportedError(facts);
        return { ...createReferenceBackend(), answers: async () => tries > 2 };
      },
    });
    const trainer = await made.runtime.createTrainer(options());
    await trainSteps(trainer, 9);
    made.devices.at(-1)?.lose();
    expect(await operations["sample"]?.(trainer, made.runtime)).toEqual(expected.get("sample"));
    expect(tries).toBe(3);
  });

  test("fallback is checked with the options", async () => {
    const asked = createRuntime({ backend: "reference", fallback: "cpu" as never });
    await expect(asked).rejects.toThrow(ConfigError);
  });
});

describe("ordinary errors", () => {
  const errors: readonly (readonly [string, unknown])[] = [
    ["UnsupportedError", new UnsupportedError(facts)],
    ["OutOfMemoryError", new OutOfMemoryError(facts)],
    ["TypeError", new TypeError("a fault of our own")],
    ["AbortError of the caller's function", new DOMException("mine", "AbortError")],
  ];

  test.each(errors)("pass as they are on a device that answers: %s", async (_name, error) => {
    const renew = vi.fn(async () => createReferenceBackend());
    const backend = { ...createReferenceBackend(), answers: async () => true };
    using runtime = new LocalRuntime({ backend, reason: "a test", renew });
    await expect(runtime.use(() => Promise.reject(error))).rejects.toBe(error);
    expect(renew).not.toHaveBeenCalled();
  });

  test.each(errors)("are losses on one that does not: %s", async (_name, error) => {
    const renew = vi.fn(async () => createReferenceBackend());
    const backend = { ...createReferenceBackend(), answers: async () => false };
    using runtime = new LocalRuntime({ backend, reason: "a test", renew });
    let calls = 0;
    const given = await runtime.use(async () => (calls++ === 0 ? Promise.reject(error) : "given"));
    expect(given).toBe("given");
    expect(renew).toHaveBeenCalledTimes(1);
  });
});
