/** What the platform itself must do before anything of divflow can: said first, so that later failures are read right. */
import { assert, assertEqual } from "./assert.ts";
import type { Check } from "./check.ts";

export const checks: Check[] = [
  {
    name: "a device runs a compute shader and its result is read back",
    backend: "webgpu",
    async run({ gpu }) {
      assert(gpu, "This platform has no navigator.gpu.");
      const adapter = await gpu.requestAdapter();
      assert(adapter, "requestAdapter gave null: there is no WebGPU adapter.");
      const device = await adapter.requestDevice();
      try {
        const squares = await computeSquares(device, 100);
        assertEqual(
          squares,
          Float32Array.from({ length: 100 }, (_, i) => i * i),
          "squares",
        );
      } finally {
        device.destroy();
      }
    },
  },
  {
    name: "a WebAssembly module with SIMD instructions compiles and runs",
    backend: "wasm",
    async run() {
      const { instance } = await WebAssembly.instantiate(simdModule);
      const { sumOfSplat } = instance.exports as { sumOfSplat(value: number): number };
      assertEqual(sumOfSplat(21), 42, "the sum of lanes 0 and 3");
    },
  },
];

/** i * i for i < count, computed on the device. */
async function computeSquares(device: GPUDevice, count: number): Promise<Float32Array> {
  const bytes = count * 4;
  const result = device.createBuffer({ size: bytes, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const readable = device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const module = device.createShaderModule({
    code: `
      @group(0) @binding(0) var<storage, read_write> squares: array<f32>;
      @compute @workgroup_size(64)
      fn main(@builtin(global_invocation_id) id: vec3u) {
        if (id.x < arrayLength(&squares)) { squares[id.x] = f32(id.x * id.x); }
      }`,
  });
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module } });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: result } }],
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(Math.ceil(count / 64));
  pass.end();
  encoder.copyBufferToBuffer(result, 0, readable, 0, bytes);
  device.queue.submit([encoder.finish()]);
  await readable.mapAsync(GPUMapMode.READ);
  return new Float32Array(readable.getMappedRange().slice(0));
}

// (module (func (export "sumOfSplat") (param i32) (result i32)
//   local.get 0  i32x4.splat  i32x4.extract_lane 0
//   local.get 0  i32x4.splat  i32x4.extract_lane 3
//   i32.add))
const simdModule = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic, version 1
  ...[0x01, 0x06, 0x01, 0x60, 0x01, 0x7f, 0x01, 0x7f], // type 0: i32 -> i32
  ...[0x03, 0x02, 0x01, 0x00], // function 0 has type 0
  ...[0x07, 0x0e, 0x01, 0x0a, ...new TextEncoder().encode("sumOfSplat"), 0x00, 0x00], // export of function 0
  ...[0x0a, 0x13, 0x01, 0x11, 0x00], // code: one body, no locals
  ...[0x20, 0x00, 0xfd, 0x11, 0xfd, 0x1b, 0x00],
  ...[0x20, 0x00, 0xfd, 0x11, 0xfd, 0x1b, 0x03],
  ...[0x6a, 0x0b],
]);
