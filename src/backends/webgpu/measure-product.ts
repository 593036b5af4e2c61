/** Times a product by several kernels, on buffers of its own, and compares their bits. */
import type { KernelCall, Placement } from "../../schedule/program.ts";
import type { Executable } from "../backend.ts";
import { inTime } from "../in-time.ts";
import { BYTES_PER_ELEMENT } from "./buffers.ts";
import { isHalf, regionKey } from "./dispatch.ts";
import { type DeviceParts, loadProgram, type Runnable } from "./executable.ts";
import { usage } from "./flags.ts";
import type { LinearChoice } from "./linear-choice.ts";
import { type LowerOptions, lowerProduct } from "./lower.ts";
import type { Measure } from "./tune.ts";

/** Products whose operands take more bytes are not measured. */
const MOST_BYTES = 1 << 28;

/** Milliseconds of a timed stretch: timestamps may be rounded to 0.1 ms, and a queue's end is told late. */
const STRETCH = 3;
const STRETCH_OF_QUEUE = 15;
const MOST_RUNS = 200;

/** Of each kernel's stretches, which take turns, the shortest counts. */
const ROUNDS = 5;

/** A kernel that takes so many times the default's time at first is timed no further, nor one so far behind after a turn. */
const HOPELESS = 2;
const BEHIND = 1.2;

/** Elements of the numbers that fill operands, again and again: a prime, so that no two rows are equal. */
const PATTERN = 65_521;

/** Measures on a device. */
export function measureProducts(parts: DeviceParts): Measure {
  const { device, lowering } = parts;
  return async (call, choices, deadline) => {
    const { program, sizes } = alone(call);
    const buffers = await allocate(device, sizes);
    if (!buffers) return undefined;
    const loads = choices.map((choice) => {
      const chosen = { ...parts, lowering: { ...lowering, linear: () => choice } };
      return loadProgram(chosen, program, (name) => buffers.get(name) as GPUBuffer);
    });
    try {
      const executables = await inTime(deadline, Promise.all(loads.map((load) => load.catch(() => undefined))));
      if (!executables) return undefined;
      const written = writtenBy(program.calls[0] as KernelCall, choices[0] as LinearChoice, lowering);
      const results = async (executable: Executable) => {
        fill(device, buffers, written);
        executable.run(1);
        const bytes = written.map((name) => buffers.get(name) as GPUBuffer);
        return Promise.all(
          bytes.map(async (buffer) => new Uint32Array(await parts.buffers.read(buffer, 0, buffer.size))),
        );
      };
      const rivals = await withEqualBits(executables, results, deadline);
      return rivals && (await timed(device, rivals, deadline));
    } finally {
      for (const load of loads) {
        load.then(
          (executable) => executable.dispose(),
          () => {},
        );
      }
      for (const buffer of buffers.values()) buffer.destroy();
    }
  };
}

/** The call as a program of its own: each region it touches becomes a state, its gaps left out, alignment kept. */
export function alone(call: KernelCall): {
  program: Runnable;
  sizes: ReadonlyMap<string, number>;
} {
  const ends = [...(call.chain?.loads ?? []), ...(call.chain?.stores ?? [])].map(({ placement }) => placement);
  const placements = [...Object.values(call.bindings), ...ends].sort((a, b) => a.offset - b.offset);
  const moved = new Map<Placement, Placement>();
  const sizes = new Map<string, number>();
  for (const name of new Set(placements.map(({ region }) => regionKey(region)))) {
    let [end, shift, size] = [0, 0, 0];
    for (const placement of placements.filter(({ region }) => regionKey(region) === name)) {
      const { region, offset, length } = placement;
      if (offset >= end) shift = (offset - size) & ~3; // of all placements so far, nothing reaches this far
      end = Math.max(end, offset + length);
      size = end - shift;
      const element = isHalf(region) ? { element: "f16" as const } : {};
      moved.set(placement, { ...placement, region: { kind: "state", name, ...element }, offset: offset - shift });
    }
    sizes.set(name, size);
  }
  const move = <End extends { readonly placement: Placement }>(each: End): End => {
    return { ...each, placement: moved.get(each.placement) as Placement };
  };
  const { chain } = call;
  const movedCall: KernelCall = {
    ...call,
    bindings: Object.fromEntries(
      Object.entries(call.bindings).map(([name, placement]) => [name, moved.get(placement) as Placement]),
    ),
    ...(chain && { chain: { ...chain, loads: chain.loads.map(move), stores: chain.stores.map(move) } }),
  };
  const state = [...sizes].map(([name, size]) => ({ name, shape: [size], dtype: "u32" as const }));
  return { program: { name: "tuning", state, calls: [movedCall], arenas: [], constants: new Uint32Array() }, sizes };
}

/** Buffers of these elements, filled; undefined when the device has no room. */
async function allocate(device: GPUDevice, sizes: ReadonlyMap<string, number>) {
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (total * BYTES_PER_ELEMENT > MOST_BYTES) return undefined;
  device.pushErrorScope("out-of-memory");
  const create = (size: number) =>
    device.createBuffer({
      label: "tuning",
      size: size * BYTES_PER_ELEMENT,
      usage: usage.storage | usage.copySource | usage.copyTarget,
    });
  const buffers = new Map([...sizes, ["pattern", PATTERN] as const].map(([name, size]) => [name, create(size)]));
  if (await device.popErrorScope()) {
    for (const buffer of buffers.values()) buffer.destroy();
    return undefined;
  }
  device.queue.writeBuffer(buffers.get("pattern") as GPUBuffer, 0, pattern());
  fill(device, buffers, sizes.keys());
  return buffers;
}

/** Bits that are numbers of size 0.5 to 2, as if drawn, be they read as f32 or as two of f16. */
function pattern(): Uint32Array<ArrayBuffer> {
  return Uint32Array.from({ length: PATTERN }, (_, i) => {
    const mixed = Math.imul(i ^ 0x9e3779b9, 0x85ebca6b);
    return (Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35) & 0x80ff83ff) | 0x3f003800;
  });
}

function fill(device: GPUDevice, buffers: ReadonlyMap<string, GPUBuffer>, names: Iterable<string>): void {
  const source = buffers.get("pattern") as GPUBuffer;
  const encoder = device.createCommandEncoder({ label: "tuning" });
  for (const name of names) {
    const target = buffers.get(name) as GPUBuffer;
    for (let at = 0; at < target.size; at += source.size) {
      encoder.copyBufferToBuffer(source, 0, target, at, Math.min(source.size, target.size - at));
    }
  }
  device.queue.submit([encoder.finish()]);
}

/** Names of the states that a call writes. */
function writtenBy(call: KernelCall, choice: LinearChoice, lowering: LowerOptions): string[] {
  const bound = lowerProduct(call, choice, lowering).dispatches.flatMap(({ bindings }) => bindings);
  return bound.flatMap(({ region, access }) => (access === "write" && region.kind === "state" ? [region.name] : []));
}

/** The executables without those that leave other bits than the first; undefined when time is up. */
async function withEqualBits(
  executables: readonly (Executable | undefined)[],
  results: (executable: Executable) => Promise<readonly Uint32Array[]>,
  deadline: number,
): Promise<(Executable | undefined)[] | undefined> {
  const [first, ...others] = executables;
  if (!first) return undefined; // the program itself will say why
  const wanted = await results(first);
  const equal: (Executable | undefined)[] = [first];
  for (const other of others) {
    if (performance.now() > deadline) return undefined;
    const found = other && (await results(other));
    equal.push(found?.every((words, n) => sameWords(words, wanted[n]!)) ? other : undefined);
  }
  return equal;
}

/** A loop: a network's products have millions of elements, and their comparison is time that others are measured in. */
function sameWords(a: Uint32Array, b: Uint32Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Milliseconds of a run, by executable; undefined when time is up before all had a turn. */
async function timed(
  device: GPUDevice,
  executables: readonly (Executable | undefined)[],
  deadline: number,
): Promise<number[] | undefined> {
  const time = async (executable: Executable, runs: number): Promise<number> => {
    if (executable.profile) return ((await executable.profile(runs))[0] as number) / runs;
    const start = performance.now();
    executable.run(runs);
    await device.queue.onSubmittedWorkDone();
    return (performance.now() - start) / runs;
  };
  const late = () => performance.now() > deadline;
  const first: number[] = [];
  for (const executable of executables) {
    if (late()) return undefined;
    first.push(executable ? await time(executable, 1) : Number.POSITIVE_INFINITY);
  }
  const stretch = executables[0]?.profile ? STRETCH : STRETCH_OF_QUEUE;
  const guess = Math.max(first[0] as number, stretch / MOST_RUNS);
  const least = first.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++) {
    const most = BEHIND * Math.min(...least); // Infinity in the first round
    for (const [i, executable] of executables.entries()) {
      if (!executable || (first[i] as number) > HOPELESS * guess || (least[i] as number) > most) continue;
      if (late()) return round > 0 ? least : undefined;
      least[i] = Math.min(least[i] as number, await time(executable, Math.ceil(stretch / guess)));
    }
  }
  return least;
}
