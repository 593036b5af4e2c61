/** Tuning changes no result: kernels that may take each other's place have equal bits, whatever a clock said. */
import { createWebGPUBackend } from "../../src/backends/webgpu/backend.ts";
import { findDevice, traitsOf } from "../../src/backends/webgpu/device.ts";
import type { DeviceTraits, LinearKernel } from "../../src/backends/webgpu/linear-choice.ts";
import { type Measure, rivalKernels } from "../../src/backends/webgpu/tune.ts";
import {
  arrayData,
  condOT,
  createRuntime,
  createTrainer,
  euler,
  fdm,
  mlp,
  type RuntimeOptions,
} from "../../src/index.ts";
import { assert, assertEqual } from "./assert.ts";
import type { Check, Context } from "./check.ts";
import { inSegments, type KernelCase, resultsOf } from "./kernel-case.ts";
import { productCases } from "./kernel-product-cases.ts";

type BackendOptions = NonNullable<Parameters<typeof createWebGPUBackend>[0]>;
type Bits = readonly Readonly<Record<string, Uint32Array>>[];

/**
 * Products of odd sizes and of whole tiles, transposed and not, of one and two row groups, with bias and chain; and with
 * column sums. A depth above 100 is cut into segments by {@link inSegments}.
 */
function someProducts(): KernelCase[] {
  const products = Object.values(productCases).flatMap((make) => make());
  const chosen =
    /^linear, (silu and tangents|left transposed): ([12] groups of )?(3 x 7|33 x 31|64 x 16|257 x 3|65 x 257|17 x 64|131 x 514) /;
  return products.filter(({ label }) => chosen.test(label));
}

/** A measurer in whose hands one kernel wins wherever it takes part. */
function favouring(kernel: LinearKernel): Measure {
  return async (_, choices) => choices.map((choice) => (choice.kernel === kernel ? 1 : 2));
}

/** A device without subgroups: on a software adapter that has them, products have one kernel and so no rivals. */
async function onDevice({ gpu }: Context, work: (device: GPUDevice, traits: DeviceTraits) => Promise<void>) {
  const adapter = await (gpu ?? navigator.gpu).requestAdapter();
  const requiredFeatures = (["timestamp-query"] as const).filter((name) => adapter?.features.has(name));
  const made = await adapter!.requestDevice({ requiredFeatures });
  const { device, description } = await findDevice({ device: made });
  try {
    await work(device, traitsOf(device, description));
  } finally {
    device.destroy();
  }
}

/** @param isWanted - of a case's number, by which its contents are drawn; what is not wanted has no bits. */
async function bitsOf(
  options: BackendOptions,
  cases: readonly KernelCase[],
  isWanted = (_: number) => true,
): Promise<Bits> {
  const backend = await createWebGPUBackend(options);
  try {
    const results: Bits[number][] = [];
    for (const [number, each] of cases.entries()) {
      results.push(isWanted(number) ? await resultsOf(backend, each, number) : {});
    }
    return results;
  } finally {
    backend.dispose();
  }
}

function assertSameBits(found: Bits[number], expected: Bits[number], subject: string): void {
  for (const [name, words] of Object.entries(expected)) {
    assert(words.length > 0 && found[name]?.length === words.length, `${subject}: ${name} is not there.`);
    const other = words.findIndex((word, i) => word !== found[name]?.[i]);
    assert(other < 0, `${subject}: ${name}[${other}] has other bits.`);
  }
}

/** Some steps of training, and samples, as bits. */
async function trained(options: RuntimeOptions): Promise<{ reason: string; bits: Bits[number] }> {
  const runtime = await createRuntime({ backend: "webgpu", ...options });
  try {
    const points = Float32Array.from({ length: 3 * 53 }, (_, i) => 2 * Math.sin(i * i) + (i % 3));
    const trainer = await createTrainer(runtime, {
      network: mlp({ dimension: 3, hidden: [33, 32], activation: "silu" }),
      path: condOT(),
      loss: fdm({ divergence: 0.2 }),
      data: arrayData(points, [53, 3]),
      batchSize: 67,
      seed: 7,
    });
    const losses: number[] = [];
    for await (const { steps } of trainer.run({ steps: 3 })) losses.push(...steps.map(({ loss }) => loss));
    const samples = await trainer.model.sample({ count: 41, solver: euler({ steps: 2 }), seed: 3 });
    const [loss, values] = [Float32Array.from(losses), samples.values.slice()].map(
      ({ buffer }) => new Uint32Array(buffer),
    );
    return { reason: runtime.reason, bits: { loss: loss!, values: values! } };
  } finally {
    runtime.dispose();
  }
}

interface NodeProcess {
  readonly env: Record<string, string | undefined>;
  getBuiltinModule(name: "node:fs/promises"): {
    mkdtemp(prefix: string): Promise<string>;
    rm(path: string, options: { recursive: true }): Promise<void>;
  };
  getBuiltinModule(name: "node:os"): { tmpdir(): string };
}

/** Where choices are kept in files: with a folder of its own for them. A browser has a new profile anyway. */
async function withOwnCache(work: () => Promise<void>): Promise<void> {
  const { process } = globalThis as { process?: NodeProcess };
  if (!process?.getBuiltinModule) return work();
  const files = process.getBuiltinModule("node:fs/promises");
  const folder = await files.mkdtemp(`${process.getBuiltinModule("node:os").tmpdir()}/divflow-tuning-`);
  const names = ["XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"];
  const before = names.map((name) => process.env[name]);
  try {
    for (const name of names) process.env[name] = folder;
    await work();
  } finally {
    names.forEach((name, i) => {
      if (before[i] === undefined) delete process.env[name];
      else process.env[name] = before[i];
    });
    await files.rm(folder, { recursive: true });
  }
}

export const checks: Check[] = [
  {
    name: "tuning: kernels that may take each other's place give the same bits, also in segments",
    backend: "webgpu",
    seconds: 300,
    async run(context) {
      await onDevice(context, async (device) => {
        const cases = someProducts();
        const results = new Map<LinearKernel, Bits>();
        const kernels = ["tile", "small", "registers", "strip"] as const;
        for (const kernel of kernels) {
          results.set(kernel, await bitsOf({ device, linear: inSegments(kernel) }, cases));
        }
        const isOfFew = (n: number) => n % 4 === 0; // of what networks alone have: long to compile
        for (const kernel of ["narrow", "square"] as const) {
          results.set(kernel, await bitsOf({ device, linear: inSegments(kernel) }, cases, isOfFew));
        }
        const shapes = [32, 64].map((columns) => ({ rows: 128, columns, depth: 1024, groups: 1 }));
        const compared = kernels.flatMap((chosen) =>
          [...new Set(shapes.flatMap((shape) => rivalKernels(chosen, shape)))].map((rival) => {
            cases.forEach((each, n) => {
              const { label } = each;
              if ((rival === "narrow" || rival === "square") && !isOfFew(n)) return;
              const [found, expected] = [rival, chosen].map((kernel) => results.get(kernel)?.[n] ?? {});
              assertSameBits(found!, expected!, `${label} by linear-${rival}, not linear-${chosen}`);
            });
            return `${rival} for ${chosen}`;
          }),
        );
        for (const pair of ["small for tile", "narrow for small", "square for tile"]) {
          assert(compared.includes(pair), `compared: ${compared}`);
        }
      });
    },
  },
  {
    name: "tuning: whichever kernel wins, the bits are those of a device that is not tuned",
    backend: "webgpu",
    seconds: 180,
    async run(context) {
      await onDevice(context, async (device, traits) => {
        const cases = someProducts();
        const expected = await bitsOf({ device, tune: false }, cases);
        for (const kernel of rivalKernels(traits.software ? "registers" : "tile")) {
          const store = new Map<string, string>();
          const found = await bitsOf({ device, tune: store, measure: favouring(kernel) }, cases);
          found.forEach((bits, n) => {
            assertSameBits(bits, expected[n]!, `${cases[n]!.label}, ${kernel} winning`);
          });
          const kept = [...store.values()].flatMap((text) => Object.values(JSON.parse(text)));
          assert(kept.length > 0 && kept.every((name) => name === kernel), `${kernel}, not ${kept}`);
        }
      });
    },
  },
  {
    name: "tuning: a device measures each class once, and the platform keeps it from backend to backend",
    backend: "webgpu",
    seconds: 180,
    async run(context) {
      await onDevice(context, async (device, traits) => {
        await withOwnCache(async () => {
          const cases = someProducts().slice(0, 3);
          const expected = await bitsOf({ device, tune: false }, cases);
          const store = new Map<string, string>();
          const found = await bitsOf({ device, tune: store }, cases);
          found.forEach((bits, n) => {
            assertSameBits(bits, expected[n]!, `${cases[n]!.label}, measured`);
          });
          const kept = [...store.values()].flatMap((text) => Object.values(JSON.parse(text) as Record<string, string>));
          assertEqual(kept.length, cases.length, "classes measured");
          const rivals: string[] = rivalKernels(traits.software ? "registers" : "tile");
          assert(
            kept.every((kernel) => rivals.includes(kernel)),
            `kept: ${kept}`,
          );

          let measured = 0;
          const measure: Measure = async (_, choices) => {
            measured++;
            return choices.map(() => 1);
          };
          await bitsOf({ device, tune: true, measure }, cases);
          assertEqual(measured, cases.length, "measured at first");
          await bitsOf({ device, tune: true, measure }, cases);
          assertEqual(measured, cases.length, "measured after another backend has");
        });
      });
    },
  },
  {
    name: "tuning: a tuned runtime trains and samples as one that is not, in a worker too",
    backend: "webgpu",
    seconds: 180,
    async run(context) {
      await onDevice(context, async (device) => {
        const store = new Map<string, string>();
        const [plain, tuned] = [await trained({ device, tune: false }), await trained({ device, tune: store })];
        assertEqual(plain.reason, "WebGPU, as asked.", "reason");
        assertEqual(tuned.reason, "WebGPU, as asked. Products run by the kernels that are fastest here.", "reason");
        assert(store.size === 1, `kept under ${[...store.keys()]}`);
        assertSameBits(tuned.bits, plain.bits, "tuned");
      });
      const { gpu } = context;
      await withOwnCache(async () => {
        const { reason } = await trained({ ...(gpu && { gpu }), tune: true }); // on a page in a worker
        assert(reason.endsWith("fastest here."), reason);
      });
    },
  },
];
