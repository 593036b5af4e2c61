// Which pipelines live, on a device that only counts: those that are held, and a stated number beside.
import { expect, test } from "vitest";
import type { Dispatch } from "../../src/backends/webgpu/dispatch.ts";
import { Health } from "../../src/backends/webgpu/health.ts";
import { MOST_UNUSED, Pipelines } from "../../src/backends/webgpu/pipelines.ts";
import { Kept } from "../collect.mjs";

/** A device that compiles what does not say "bad", and notes each pipeline and module that it gives. */
function countingDevice() {
  const kept = new Kept();
  const compiled: string[] = [];
  const device = {
    lost: new Promise(() => {}),
    addEventListener() {},
    createBindGroupLayout: () => ({}),
    createPipelineLayout: () => ({}),
    createShaderModule: ({ code }: GPUShaderModuleDescriptor) => kept.note({ code }),
    async createComputePipelineAsync({ compute: { module } }: GPUComputePipelineDescriptor) {
      const { code } = module as unknown as { code: string };
      compiled.push(code);
      if (code.includes("bad")) throw new Error("refused");
      return kept.note({});
    },
  } as unknown as GPUDevice;
  return { pipelines: new Pipelines(device, new Health(device)), compiled, kept };
}

function dispatch(code: string): Dispatch {
  const bindings = [{ region: { kind: "scratch" }, access: "read" }] as const;
  const parameters = new Uint32Array();
  return { label: code, kernel: "main", code, constants: {}, parameters, bindings, workgroups: [1, 1, 1] };
}

test("of 500 programs, one after another, the pipelines of the last few are left, and no module", async () => {
  const { pipelines, kept } = countingDevice();
  const long = pipelines.hold([dispatch("in use all the time")]);
  for (let i = 0; i < 500; i++) {
    const held = pipelines.hold([dispatch(`${i} a`), dispatch(`${i} b`)]);
    await Promise.all(held.made);
    held.release();
  }
  expect(pipelines.count).toBe(MOST_UNUSED + 1);
  expect(await kept.count()).toBe(MOST_UNUSED + 1);
  long.release();
  expect(pipelines.count).toBe(MOST_UNUSED);
});

test("compiles once for all who hold it, and for those who come soon after", async () => {
  const { pipelines, compiled } = countingDevice();
  const [one, two] = [pipelines.hold([dispatch("a"), dispatch("a")]), pipelines.hold([dispatch("a")])];
  const made = await Promise.all([...one.made, ...two.made]);
  expect(new Set(made).size).toBe(1);
  one.release();
  for (let i = 0; i < MOST_UNUSED; i++) pipelines.hold([dispatch(`${i}`)]).release();
  expect(await pipelines.hold([dispatch("a")]).made[0]).toBe(made[0]); // two holds it
  two.release();
  expect(compiled.filter((code) => code === "a")).toHaveLength(1);
});

test("what is used again is the last to go", async () => {
  const { pipelines, compiled } = countingDevice();
  const use = (code: string) => pipelines.hold([dispatch(code)]).release();
  for (let i = 0; i < 3 * MOST_UNUSED; i++) {
    use("again and again");
    use(`${i}`);
  }
  await Promise.resolve();
  expect(compiled.filter((code) => code === "again and again")).toHaveLength(1);
  use("0");
  await Promise.resolve();
  expect(compiled.filter((code) => code === "0")).toHaveLength(2);
});

test("a shader that is refused is tried again by the next, whoever lets go of it when", async () => {
  const { pipelines, compiled } = countingDevice();
  const first = pipelines.hold([dispatch("bad")]);
  await expect(first.made[0]).rejects.toThrow("refused");
  const second = pipelines.hold([dispatch("bad")]);
  first.release();
  await expect(second.made[0]).rejects.toThrow("refused");
  second.release();
  expect(compiled).toEqual(["bad", "bad"]);
  expect(pipelines.count).toBe(0);
});
