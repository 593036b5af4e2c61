/**
 * What WASM SIMD can do at best here: multiply-adds that stay in registers, in a module made of bytes on the spot.
 * Eight sums of four lanes: enough to hide the latency of a fused multiply-add; with ten or more, V8 spills.
 */

const SUMS = 8;
/** Rounds of all sums in one turn of the loop. */
const UNROLLED = 8;
const FLOPS_PER_TURN = UNROLLED * SUMS * 4 * 2;
const MEASUREMENTS = 5;
const MEASUREMENT_MILLISECONDS = 200;

/** WebAssembly's opcodes, as far as they are needed. */
const code = {
  localGet: 0x20,
  localSet: 0x21,
  i32Const: 0x41,
  i32Add: 0x6a,
  loop: [0x03, 0x40],
  branchIf: [0x0d, 0x00],
  end: 0x0b,
  localTee: 0x22,
  f32Const: 0x43,
  splat: simd(0x13),
  add: simd(0xe4),
  multiply: simd(0xe6),
  relaxedMultiplyAdd: simd(0x105),
  extractLane0: [...simd(0x1f), 0],
} as const;

/** A module that exports `run`: (turns: i32) -> f32. */
export function ceilingModule(relaxed: boolean): Uint8Array<ArrayBuffer> {
  const [turns, x, y] = [0, 1, 2]; // locals; the sums follow
  const sums = Array.from({ length: SUMS }, (_, i) => 3 + i);
  const multiplyAdd = (sum: number) => {
    const [a, b, s] = [x, y, sum].map((local) => [code.localGet, local]) as [number[], number[], number[]];
    const value = relaxed
      ? [...a, ...b, ...s, ...code.relaxedMultiplyAdd]
      : [...a, ...b, ...code.multiply, ...s, ...code.add];
    return [...value, code.localSet, sum];
  };
  const round = sums.flatMap(multiplyAdd);
  const countDown = [code.localGet, turns, code.i32Const, ...signed(-1), code.i32Add, code.localTee, turns];
  const body = [
    ...[x, y].flatMap((local) => [code.f32Const, ...float(0.5), ...code.splat, code.localSet, local]),
    ...code.loop,
    ...Array.from({ length: UNROLLED }, () => round).flat(),
    ...countDown,
    ...code.branchIf,
    code.end,
    ...[code.localGet, sums[0] as number],
    ...sums.slice(1).flatMap((sum) => [code.localGet, sum, ...code.add]),
    ...code.extractLane0,
    code.end,
  ];
  const i32 = 0x7f;
  const f32 = 0x7d;
  const v128 = 0x7b;
  const functionBody = [1, 2 + SUMS, v128, ...body];
  const name = [...new TextEncoder().encode("run")];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic, version 1
    ...section(1, [1, 0x60, 1, i32, 1, f32]), // type 0: (i32) -> f32
    ...section(3, [1, 0]), // function 0 has type 0
    ...section(7, [1, name.length, ...name, 0, 0]), // export of function 0
    ...section(10, [1, ...unsigned(functionBody.length), ...functionBody]),
  ]);
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function simd(opcode: number): number[] {
  return [0xfd, ...unsigned(opcode)];
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

/** LEB128 of a value from -64 to 63. */
function signed(value: number): number[] {
  return [value & 0x7f];
}

function float(value: number): number[] {
  return [...new Uint8Array(Float32Array.of(value).buffer)];
}

/** GFLOP/s of so many threads at once, the best of some measurements. */
export async function wasmCeiling({ threads, relaxed }: { threads: number; relaxed: boolean }): Promise<number> {
  const bytes = ceilingModule(relaxed);
  if (threads === 1) return measure(bytes);
  const rates = await Promise.all(Array.from({ length: threads }, () => measureInWorker(bytes)));
  return rates.reduce((sum, rate) => sum + rate);
}

/** Also runs in a worker, as text: it may use nothing but its arguments and what every platform has. */
async function loopRate(
  bytes: Uint8Array<ArrayBuffer>,
  flopsPerTurn: number,
  measurements: number,
  milliseconds: number,
): Promise<number> {
  const { instance } = await WebAssembly.instantiate(bytes);
  const run = instance.exports["run"] as (turns: number) => number;
  const time = (turns: number) => {
    const start = performance.now();
    run(turns);
    return performance.now() - start;
  };
  let turns = 1000;
  while (time(turns) < milliseconds) turns *= 2; // also warms up
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < measurements; i++) best = Math.min(best, time(turns));
  return (flopsPerTurn * turns) / best / 1e6;
}

function measure(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  return loopRate(bytes, FLOPS_PER_TURN, MEASUREMENTS, MEASUREMENT_MILLISECONDS);
}

/** The loop in a worker of its own; those started together run together for all but the first moments. */
async function measureInWorker(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const parameters = JSON.stringify([FLOPS_PER_TURN, MEASUREMENTS, MEASUREMENT_MILLISECONDS]).slice(1, -1);
  const rate = `(${loopRate})(Uint8Array.of(${bytes}), ${parameters})`;
  if (typeof Worker === "undefined") {
    const { Worker: NodeWorker } = await import("node:worker_threads");
    const text = `${rate}.then((rate) => require("node:worker_threads").parentPort.postMessage(rate));`;
    const worker = new NodeWorker(text, { eval: true });
    return finish((receive) => worker.once("message", receive).once("error", receive)).finally(() =>
      worker.terminate(),
    );
  }
  const url = URL.createObjectURL(new Blob([`${rate}.then(postMessage);`], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  return finish((receive) => {
    worker.onmessage = ({ data }) => receive(data);
    worker.onerror = (event) => receive(new Error(event.message));
  }).finally(() => {
    worker.terminate();
    URL.revokeObjectURL(url);
  });
}

/** The number that a worker sends; rejects with the error that it sends instead. */
function finish(listen: (receive: (message: unknown) => void) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    listen((message) => (typeof message === "number" ? resolve(message) : reject(message)));
  });
}
