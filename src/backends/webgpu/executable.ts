/** A program on a device: everything a run needs is made here, once. */
import { DisposedError } from "../../errors.ts";
import type { Program, Region } from "../../schedule/program.ts";
import type { Executable } from "../backend.ts";
import { type Buffers, BYTES_PER_ELEMENT } from "./buffers.ts";
import type { Dispatch, ScratchRegion } from "./dispatch.ts";
import { usage } from "./flags.ts";
import type { Health } from "./health.ts";
import { type LowerOptions, lower } from "./lower.ts";
import type { Pipeline, Pipelines } from "./pipelines.ts";
import { timeCalls } from "./profile.ts";

export interface DeviceParts {
  readonly device: GPUDevice;
  readonly health: Health;
  readonly buffers: Buffers;
  readonly pipelines: Pipelines;
  readonly lowering: LowerOptions;
}

/**
 * Dispatches in one submission of a program that has more: the first so that the device begins soon, each later one twice
 * as many up to the largest, whose own cost is small beside theirs (docs/gpu.md).
 */
const [FIRST_PIECE, LARGEST_PIECE] = [32, 256];

/** A dispatch with all its objects made. */
interface Ready {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

/** What of a program is run. */
export type Runnable = Pick<Program, "name" | "state" | "calls" | "arenas" | "constants">;

/** `stateBuffer` gives the buffer of a state by name; it throws when that is missing or disposed. */
export async function loadProgram(
  parts: DeviceParts,
  program: Runnable,
  stateBuffer: (name: string) => GPUBuffer,
): Promise<Executable> {
  const { device, health } = parts;
  const { dispatches, calls, scratch } = lower(program, parts.lowering);
  const memory = allocate(parts, program, dispatches, scratch);
  const pipelines = parts.pipelines.hold(dispatches);
  const free = () => {
    memory.free();
    pipelines.release();
  };
  let ready: Ready[];
  try {
    const bufferOf = (region: Region | ScratchRegion): GPUBuffer => {
      switch (region.kind) {
        case "arena":
          return memory.arenas[region.index]!;
        case "constants":
          return memory.constants!;
        case "scratch":
          return memory.scratch!;
        case "state":
          return stateBuffer(region.name);
      }
    };
    ready = await Promise.all(
      pipelines.made.map(async (made, i) => {
        const parameters = { buffer: memory.uniforms, offset: memory.uniformOffsets[i]! };
        return prepare(device, dispatches[i]!, await made, parameters, bufferOf);
      }),
    );
    await health.settled();
  } catch (error) {
    free();
    throw error;
  }

  let disposed = false;
  const checkUsable = () => {
    if (disposed) {
      throw new DisposedError({
        subject: `program "${program.name}"`,
        given: "run after dispose",
        expected: "a loaded program",
        remedy: "Load it again.",
      });
    }
    health.check();
    for (const { name } of program.state) stateBuffer(name); // a destroyed buffer must not reach the device
  };
  const label = program.name;
  return {
    run(times) {
      checkUsable();
      submit(device, label, ready, times);
    },
    ...(device.features.has("timestamp-query") && {
      profile(times = 1) {
        checkUsable();
        const ofCall = program.calls.map((_, call) => ready.filter((_, i) => calls[i] === call));
        return timeCalls(parts, ofCall.length, (pass, call) => {
          encode(pass, ofCall[call]!, 0, times * ofCall[call]!.length);
        });
      },
    }),
    dispose() {
      if (disposed) return;
      disposed = true;
      free();
    },
  };
}

/**
 * Runs of a long program go out piece by piece, so that the device computes what is recorded while the host records the
 * rest; those of a short one at once, however many.
 */
function submit(device: GPUDevice, label: string, ready: readonly Ready[], times: number): void {
  const end = times * ready.length;
  let piece = ready.length > LARGEST_PIECE ? FIRST_PIECE : end;
  for (let first = 0; first < end; ) {
    const last = Math.min(first + piece, end);
    const encoder = device.createCommandEncoder({ label });
    const pass = encoder.beginComputePass({ label });
    encode(pass, ready, first, last); // WebGPU runs a pass's dispatches in order, and passes in that of submission
    pass.end();
    device.queue.submit([encoder.finish()]);
    first = last;
    piece = Math.min(2 * piece, LARGEST_PIECE);
  }
}

/** Of the dispatches of run after run, those from `first` on to before `last`. */
function encode(pass: GPUComputePassEncoder, ready: readonly Ready[], first: number, last: number): void {
  let current: GPUComputePipeline | undefined;
  for (let i = first; i < last; i++) {
    const { pipeline, group, workgroups } = ready[i % ready.length]!;
    if (pipeline !== current) pass.setPipeline(pipeline);
    current = pipeline;
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...workgroups);
  }
}

/** Arenas, constants, scratch, and the parameters of all dispatches in one uniform buffer. */
function allocate(
  { device, buffers }: DeviceParts,
  program: Runnable,
  dispatches: readonly Dispatch[],
  scratch: number,
) {
  const made: GPUBuffer[] = [];
  const free = () => {
    for (const buffer of made) buffers.destroy(buffer);
  };
  const create = (what: string, elements: number, flags: number) => {
    const buffer = buffers.create(`${program.name}: ${what}`, elements * BYTES_PER_ELEMENT, flags);
    made.push(buffer);
    return buffer;
  };
  try {
    const arenas = program.arenas.map((elements, i) => create(`arena ${i}`, elements, usage.storage));
    const constants =
      program.constants.length > 0
        ? create("constants", program.constants.length, usage.storage | usage.copyTarget)
        : undefined;
    if (constants) device.queue.writeBuffer(constants, 0, new Uint32Array(program.constants));

    const alignment = device.limits.minUniformBufferOffsetAlignment / BYTES_PER_ELEMENT;
    let end = 0;
    const offsets = dispatches.map(({ parameters }) => {
      const offset = end;
      end += Math.ceil(parameters.length / alignment) * alignment;
      return offset;
    });
    const words = new Uint32Array(end);
    dispatches.forEach(({ parameters }, i) => {
      words.set(parameters, offsets[i]);
    });
    const uniforms = create("parameters", end, usage.uniform | usage.copyTarget);
    device.queue.writeBuffer(uniforms, 0, words);
    return {
      arenas,
      constants,
      scratch: scratch > 0 ? create("scratch", scratch, usage.storage) : undefined,
      uniforms,
      uniformOffsets: offsets.map((offset) => offset * BYTES_PER_ELEMENT),
      free,
    };
  } catch (error) {
    free();
    throw error;
  }
}

function prepare(
  device: GPUDevice,
  dispatch: Dispatch,
  { pipeline, layout }: Pipeline,
  uniforms: { readonly buffer: GPUBuffer; readonly offset: number },
  bufferOf: (region: Region | ScratchRegion) => GPUBuffer,
): Ready {
  const size = Math.ceil(dispatch.parameters.byteLength / 16) * 16; // WGSL rounds a uniform struct up to 16 bytes
  const parameters = { ...uniforms, size };
  const operands = dispatch.bindings.map(({ region, range }) => {
    const bytes = range && { offset: range.first * BYTES_PER_ELEMENT, size: range.length * BYTES_PER_ELEMENT };
    return { buffer: bufferOf(region), ...bytes };
  });
  const resources = [parameters, ...operands];
  const group = device.createBindGroup({
    label: dispatch.label,
    layout,
    entries: resources.map((resource, binding) => ({ binding, resource })),
  });
  return { pipeline, group, workgroups: dispatch.workgroups };
}
