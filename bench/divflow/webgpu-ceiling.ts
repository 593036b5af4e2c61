/**
 * The rate that a plain matmul reaches on this device: one invocation computes a block of the result in registers and
 * reads its operands straight from storage. On software adapters nothing does better; on a GPU it is no ceiling, as
 * tiles in workgroup memory pass it. Several block shapes are tried, and the best counts.
 */

const SIZE = 512;
const blocks = [
  { rows: 8, vectors: 2 },
  { rows: 16, vectors: 2 },
  { rows: 8, vectors: 4 },
  { rows: 16, vectors: 4 },
] as const;
const MEASUREMENTS = 5;

interface Block {
  /** Of an invocation. */
  readonly rows: number;
  /** Columns by four. */
  readonly vectors: number;
}

/** The shader of y = x w for matrices of SIZE x SIZE. All loops but that over depth are written out. */
export function plainMatmul({ rows, vectors }: Block): string {
  const each = (count: number, line: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => line(i)).join("\n");
  const cells = (line: (row: number, vector: number) => string) =>
    each(rows, (row) => each(vectors, (vector) => line(row, vector)));
  return `
const SIZE = ${SIZE}u;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * ${rows}u;
  let column = id.x * ${vectors}u; // in vectors of four
  if (row >= SIZE || column >= SIZE / 4u) { return; }
  ${cells((r, c) => `var s${r}_${c} = vec4f();`)}
  for (var k = 0u; k < SIZE; k++) {
    ${each(vectors, (c) => `let w${c} = w[k * (SIZE / 4u) + column + ${c}u];`)}
    ${each(rows, (r) => `let x${r} = vec4f(x[(row + ${r}u) * SIZE + k]);`)}
    ${cells((r, c) => `s${r}_${c} = fma(x${r}, w${c}, s${r}_${c});`)}
  }
  ${cells((r, c) => `y[(row + ${r}u) * (SIZE / 4u) + column + ${c}u] = s${r}_${c};`)}
}`;
}

/** GFLOP/s of the best block shape, on a device of its own. */
export async function webgpuCeiling(gpu: GPU): Promise<number | null> {
  const device = await (await gpu.requestAdapter({ powerPreference: "high-performance" }))?.requestDevice();
  if (!device) return null;
  try {
    const rates: number[] = [];
    for (const block of blocks) rates.push(await rateOf(device, block));
    return Math.max(...rates);
  } finally {
    device.destroy();
  }
}

async function rateOf(device: GPUDevice, block: Block): Promise<number> {
  const storage = 0x80; // GPUBufferUsage.STORAGE: not every platform has the global
  const module = device.createShaderModule({ code: plainMatmul(block) });
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module } });
  const matrices = [0, 1, 2].map(() => device.createBuffer({ size: SIZE * SIZE * 4, usage: storage }));
  const entries = matrices.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const time = async (times: number) => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    const workgroups = (perInvocation: number) => Math.ceil(SIZE / (8 * perInvocation));
    for (let i = 0; i < times; i++) pass.dispatchWorkgroups(workgroups(4 * block.vectors), workgroups(block.rows));
    pass.end();
    const start = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - start;
  };
  let times = 1;
  while ((await time(times)) < 100) times *= 2; // also compiles; waiting for the queue should not count
  const best = Math.min(...(await inTurn(MEASUREMENTS, () => time(times))));
  for (const buffer of matrices) buffer.destroy();
  return (2 * SIZE ** 3 * times) / best / 1e6;
}

async function inTurn(count: number, measure: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let i = 0; i < count; i++) values.push(await measure());
  return values;
}
