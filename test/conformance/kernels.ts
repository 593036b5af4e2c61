/** Every kernel against what its declaration says, computed in f64; and programs of several calls. */
import type { Backend } from "../../src/backends/backend.ts";
import { createWebGPUBackend } from "../../src/backends/webgpu/backend.ts";
import { findDevice, traitsOf } from "../../src/backends/webgpu/device.ts";
import { linearKernels, workgroupTiles } from "../../src/backends/webgpu/linear-choice.ts";
import { reduceShaders } from "../../src/backends/webgpu/reduce-dispatches.ts";
import { elementwiseFunctions, randomFunctions } from "../../src/kernels/elementwise.ts";
import { hasKernel } from "../../src/kernels/optional.ts";
import { allKernels } from "../kernels.ts";
import { assert, assertEqual } from "./assert.ts";
import type { Check } from "./check.ts";
import { attentionKernelCases } from "./kernel-attention-cases.ts";
import { onEachBackend } from "./kernel-backends.ts";
import { checkCase, inSegments, type KernelCase } from "./kernel-case.ts";
import { kernelCases } from "./kernel-cases.ts";
import { chainCases } from "./kernel-chain-cases.ts";
import { elementwiseCases } from "./kernel-elementwise-cases.ts";
import { flowCases } from "./kernel-flow-cases.ts";
import { matmulEachKernelCases } from "./kernel-matmul-each-cases.ts";
import { productCases } from "./kernel-product-cases.ts";
import { handMadeProgram, kernelCall, makeStates } from "./kernel-programs.ts";
import { windowCases } from "./kernel-window-cases.ts";
import { imageCases, sequenceCases } from "./kernel-winograd-cases.ts";

const groups: Readonly<Record<string, () => KernelCase[]>> = {
  ...kernelCases,
  ...elementwiseCases,
  ...chainCases,
  ...productCases,
  ...flowCases,
  ...matmulEachKernelCases,
  ...windowCases,
  ...attentionKernelCases,
};

export const checks: Check[] = [
  ...Object.entries(groups).map(
    ([name, cases]): Check => ({
      name: `kernels agree with f64: ${name}`,
      seconds: 180,
      async run(context) {
        await onEachBackend(context, (backend) => checkCases(backend, cases()));
      },
    }),
  ),
  {
    name: "kernels agree with f64: convolutions that WebAssembly computes with fewer multiplications",
    backend: "wasm",
    seconds: 180,
    async run(context) {
      await onEachBackend(context, (backend) => checkCases(backend, [...imageCases(), ...sequenceCases()]));
    },
  },
  ...(["tile", "small", "narrow", "square", "panel", "registers", "strip"] as const).map(
    (kernel): Check => ({
      name: `kernels agree with f64: products by linear-${kernel}, deep ones in segments`,
      backend: "webgpu",
      slowInSoftware: isForGPU(kernel),
      seconds: 300,
      async run({ gpu }) {
        const { device, description } = await findDevice(gpu ? { gpu } : {});
        const backend = await createWebGPUBackend({ device, linear: inSegments(kernel) });
        try {
          const possible = linearKernels(traitsOf(device, description)).includes(kernel);
          if (possible)
            await checkCases(
              backend,
              eachShapeOnce().filter((_, n) => n % shared(kernel) === 0),
            );
        } finally {
          backend.dispose();
          device.destroy();
        }
      },
    }),
  ),
  ...(["tile", "small", "narrow", "registers", "strip"] as const).map(
    (kernel): Check => ({
      name: `kernels agree with f64: products by linear-${kernel}, wrapped into a second axis`,
      backend: "webgpu",
      slowInSoftware: isForGPU(kernel),
      seconds: 180,
      async run({ gpu }) {
        const { device } = await findDevice(gpu ? { gpu } : {});
        const mostAlong = 2; // of 65,535: the shapes here would fit
        const backend = await createWebGPUBackend({ device, linear: () => ({ kernel, segments: 1, mostAlong }) });
        try {
          const wraps = ({ parameters: { rows = 1 } }: KernelCase) => rows > mostAlong * workgroupTiles[kernel].rows;
          await checkCases(backend, eachShapeOnce().filter(wraps));
        } finally {
          backend.dispose();
          device.destroy();
        }
      },
    }),
  ),
  ...reduceShaders.map(
    (reduce): Check => ({
      name: `kernels agree with f64: every reduction by ${reduce}`,
      backend: "webgpu",
      seconds: 180,
      async run({ gpu }) {
        const { device, description } = await findDevice(gpu ? { gpu } : {});
        const backend = await createWebGPUBackend({ device, reduce });
        try {
          const possible = reduce !== "reduce-subgroups" || traitsOf(device, description).subgroups;
          if (possible) await checkCases(backend, kernelCases["reduce"]!());
        } finally {
          backend.dispose();
          device.destroy();
        }
      },
    }),
  ),
  {
    name: "kernels agree with f64: attention by tiles, as GPUs run it",
    backend: "webgpu",
    slowInSoftware: true,
    seconds: 600,
    async run({ gpu }) {
      const { device } = await findDevice(gpu ? { gpu } : {});
      const backend = await createWebGPUBackend({ device, attentionBy: "tiles" });
      try {
        await checkCases(backend, eachTileOnce());
      } finally {
        backend.dispose();
        device.destroy();
      }
    },
  },
  {
    name: "a profile runs the program once and gives a time for each call, where the device can tell",
    backend: "webgpu",
    async run(context) {
      await onEachBackend(context, async (backend) => {
        const count = 1000;
        const place = { region: { kind: "state" as const, name: "x" }, offset: 0, length: count };
        const chain = {
          count,
          loads: [{ placement: place, divisor: 1, modulus: count, dtype: "u32" as const }],
          steps: [{ function: "increment", operands: [{ from: "load" as const, index: 0 }], dtype: "u32" as const }],
          stores: [{ placement: place, source: { from: "step" as const, index: 0 }, dtype: "u32" as const }],
        };
        const increment = { ...kernelCall("elementwise", {}, {}), chain };
        const contents = { x: { dtype: "u32" as const, words: new Uint32Array(count) } };
        const states = makeStates(backend, contents);
        const executable = await backend.load(
          handMadeProgram("twice", contents, [increment, increment]),
          states.buffers,
        );
        const before = backend.memory();
        const times = await executable.profile?.();
        if (times) {
          assertEqual(times.length, 2, "times");
          assert(
            times.every((time) => time >= 0 && time < 60_000),
            `${times} are no milliseconds.`,
          );
          assertEqual(await states.words("x"), new Uint32Array(count).fill(2), "elements incremented twice");
          assertEqual(backend.memory().buffers - before.buffers <= 1, true, "no buffer kept but for reading back");
        }
        executable.dispose();
        states.dispose();
      });
    },
  },
  {
    name: "kernels: none is without a case",
    aboutSuite: true,
    async run() {
      const cases = Object.values(groups).flatMap((make) => make());
      for (const name of Object.keys(allKernels)) {
        assert(
          cases.some(({ kernel }) => kernel === name),
          `No case calls "${name}".`,
        );
      }
      for (const name of [...Object.keys(elementwiseFunctions), ...randomFunctions]) {
        assert(
          cases.some(({ label }) => label.startsWith(`${name} `) || label.startsWith(`${name}:`)),
          `No case calls the function "${name}".`,
        );
      }
    },
  },
];

/** One case of how many: of the two kernels that are one text each takes some. */
const shared = (kernel: string) => (kernel === "narrow" ? 2 : kernel === "square" ? 3 : 1);

/** A declaration: the list above asks it while this file is read. */
function isForGPU(kernel: string): boolean {
  return ["tile", "small", "narrow", "square"].includes(kernel);
}

async function checkCases(backend: Backend, cases: readonly KernelCase[]): Promise<void> {
  const most = backend.limits.maxEpilogueGroups;
  for (const [number, each] of cases.entries()) {
    if (each.chain && (each.parameters["groups"] ?? 0) > most) continue; // no plan makes such a call there
    if (!hasKernel(each.kernel, backend.limits)) continue;
    await checkCase(backend, each, number);
  }
}

/** Attention whose tiles and quads are whole and are not; software adapters take seconds to compile each. */
function eachTileOnce(): KernelCase[] {
  const some = [
    "2 x 2 of 33 x 8, by kinds",
    "1 x 1 of 65 x 31, by heads",
    "1 x 2 of 5 x 12, by heads",
    "2 x 1 of 66 x 64, by kinds",
  ];
  const cases = attentionKernelCases["attention"]!().filter(({ label }) => some.some((part) => label.includes(part)));
  assertEqual(cases.length, 2 * some.length, "cases of attention by tiles");
  return cases;
}

/** Products of all shapes and transpositions, and of windows of images, with one epilogue each: compiling takes long. */
function eachShapeOnce(): KernelCase[] {
  const products = Object.values({ ...productCases, ...windowCases }).flatMap((make) => make());
  return products.filter(({ label }) =>
    /^(linear, |convolve, (?=.* 3 x ))(silu and tangents|left transposed):/.test(label),
  );
}
