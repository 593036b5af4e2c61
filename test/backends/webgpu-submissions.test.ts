// What a device is told of a run, on one that only writes it down.
import { describe, expect, test } from "vitest";
import { Buffers } from "../../src/backends/webgpu/buffers.ts";
import { loadProgram } from "../../src/backends/webgpu/executable.ts";
import { Health } from "../../src/backends/webgpu/health.ts";
import { Pipelines } from "../../src/backends/webgpu/pipelines.ts";
import { handMadeProgram, kernelCall } from "../conformance/kernel-programs.ts";

/** A device that notes what reaches its queue; it takes at most 4096 queries to a set, as WebGPU does. */
function notingDevice() {
  const noted = { submissions: [] as string[][], calls: 0, querySets: [] as number[], resolved: [] as number[] };
  const passOf = (labels: string[]) => {
    const told = (note?: string) => {
      noted.calls++;
      if (note !== undefined) labels.push(note);
    };
    let group = "";
    return {
      setPipeline: () => told(),
      setBindGroup: (_index: number, { label }: GPUBindGroupDescriptor) => {
        told();
        group = label as string;
      },
      dispatchWorkgroups: () => told(group),
      end() {},
    };
  };
  const device = {
    limits: { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27, minUniformBufferOffsetAlignment: 256 },
    features: new Set(["timestamp-query"]),
    lost: new Promise(() => {}),
    addEventListener() {},
    pushErrorScope() {},
    popErrorScope: async () => null,
    createBuffer: ({ size }: GPUBufferDescriptor) => ({
      ...{ size, destroy() {}, unmap() {}, mapAsync: async () => {} },
      getMappedRange: (_offset: number, bytes: number) => new ArrayBuffer(bytes),
    }),
    createBindGroupLayout: () => ({}),
    createPipelineLayout: () => ({}),
    createShaderModule: () => ({}),
    createComputePipelineAsync: async () => ({}),
    createBindGroup: (descriptor: GPUBindGroupDescriptor) => descriptor,
    createQuerySet({ count }: GPUQuerySetDescriptor) {
      if (count > 4096) throw new RangeError(`Query count (${count}) exceeds the maximum query count (4096).`);
      noted.querySets.push(count);
      return { count, destroy: () => noted.querySets.splice(noted.querySets.indexOf(count), 1) };
    },
    createCommandEncoder() {
      const labels: string[] = [];
      return {
        beginComputePass({ timestampWrites: writes }: GPUComputePassDescriptor) {
          if (writes) expect(writes.endOfPassWriteIndex).toBeLessThan(writes.querySet.count);
          return passOf(labels);
        },
        resolveQuerySet: (_set: GPUQuerySet, _first: number, count: number, _to: GPUBuffer, offset: number) => {
          expect(offset % 256).toBe(0);
          noted.resolved.push(offset / 8, count);
        },
        copyBufferToBuffer() {},
        finish: () => labels,
      };
    },
    queue: {
      writeBuffer() {},
      submit: ([labels]: string[][]) => (labels?.length ? noted.submissions.push(labels) : 0),
    },
  } as unknown as GPUDevice;
  return { device, noted };
}

/** A loaded program of so many calls, labelled by their numbers. */
async function load(count: number) {
  const { device, noted } = notingDevice();
  const health = new Health(device);
  const place = { region: { kind: "arena", index: 0 }, offset: 0, length: 64 } as const;
  const parameters = { outer: 1, reduced: 1, inner: 64, kind: 0, scale: 1 };
  const calls = Array.from({ length: count }, (_, i) =>
    kernelCall("reduce", parameters, { in: place, out: { ...place, region: { kind: "arena", index: 1 } } }, `${i}`),
  );
  const program = handMadeProgram("calls", {}, calls, [64, 64]);
  const parts = { device, health, buffers: new Buffers(device, health), pipelines: new Pipelines(device, health) };
  const lowering = { traits: { software: false } };
  const executable = await loadProgram({ ...parts, lowering }, program, () => {
    throw new Error("There is no state.");
  });
  return { executable, noted };
}

const numbers = (count: number, runs = 1) => Array.from({ length: count * runs }, (_, i) => `${i % count}`);

describe("run", () => {
  test("of a short program: one submission, however often", async () => {
    const { executable, noted } = await load(22);
    for (const runs of [1, 256]) executable.run(runs);
    expect(noted.submissions).toEqual([numbers(22), numbers(22, 256)]);
  });

  test("of a long one: pieces, small ones first, each dispatch once and in order", async () => {
    const { executable, noted } = await load(1000);
    executable.run(2);
    expect(noted.submissions.map(({ length }) => length)).toEqual([32, 64, 128, 256, 256, 256, 256, 256, 256, 240]);
    expect(noted.submissions.flat()).toEqual(numbers(1000, 2));
  });

  test("tells the device little of each dispatch", async () => {
    const { executable, noted } = await load(200);
    executable.run(10);
    expect(noted.calls).toBe(2 * 2000 + 1); // group and dispatch, and one pipeline
  });
});

describe("profile", () => {
  test.each([1, 2048, 2049, 5000])("of %i calls: no set has more queries than there may be", async (count) => {
    const { executable, noted } = await load(count);
    const times = executable.profile?.();
    expect(noted.querySets.reduce((sum, queries) => sum + queries, 0)).toBe(2 * count);
    expect(await times).toEqual(new Array(count).fill(0));
    expect(noted.submissions.flat()).toEqual(numbers(count));
    const ends = noted.resolved.flatMap((from, i) => (i % 2 === 0 ? from + (noted.resolved[i + 1] as number) : []));
    expect(noted.resolved.filter((_, i) => i % 2 === 0)).toEqual([0, ...ends.slice(0, -1)]); // side by side
    expect(ends.at(-1)).toBe(2 * count);
    expect(noted.querySets).toEqual([]); // destroyed
  });
});
