/**
 * The WebGPU backend. State, arenas and parameters are made when a program is loaded; a run is a command buffer of
 * one compute pass, of a long program several, and neither allocates nor uploads.
 *
 * WebGPU tells that memory ran out after the call that asked for it: the next call of the backend then throws.
 */
import { DisposedError, LimitError } from "../../errors.ts";
import type { Backend, StateBuffer } from "../backend.ts";
import { onDemand } from "../on-demand.ts";
import { Buffers, BYTES_PER_ELEMENT } from "./buffers.ts";
import { findDevice, traitsOf, type WebGPUOptions } from "./device.ts";
import { type DeviceParts, loadProgram } from "./executable.ts";
import { usage } from "./flags.ts";
import { Health } from "./health.ts";
import type { Forms, LowerOptions } from "./lower.ts";
import { Pipelines } from "./pipelines.ts";
import { planLimitsOf } from "./plan-limits.ts";
import { isSoftware } from "./software-adapter.ts";
import type { Measure } from "./tune.ts";
import type { TuningStore } from "./tuning-store.ts";

/**
 * A backend on `device`, on a device of `adapter`, or on one of the best adapter of `gpu` (default `navigator.gpu`).
 *
 * @throws {@link UnsupportedError} when there is no WebGPU, no adapter, or the adapter gives no device; and when storage
 * in f16 is asked for and its shaders know none.
 */
export async function createWebGPUBackend(
  options: WebGPUOptions &
    Pick<LowerOptions, "linear" | "reduce" | "attentionBy"> & { readonly measure?: Measure } = {},
): Promise<Backend> {
  const { device, description, owned } = await findDevice(options);
  const health = new Health(device);
  const buffers = new Buffers(device, health);
  const pipelines = new Pipelines(device, health);
  const { linear, reduce, attentionBy, measure, startSeconds, tune = !isSoftware(description) } = options;
  const traits = traitsOf(device, description);
  const software =
    traits.software || linear ? (await onDemand(import("./software-forms.ts"), startSeconds)).softwareForms : undefined;
  const forms: Forms = linear ? { networks: (await onDemand(import("./network-forms.ts"))).networkForms } : {};
  const lowering: LowerOptions = { traits, software, forms, linear, reduce, attentionBy };
  const parts: DeviceParts = { device, health, buffers, pipelines, lowering };
  const tuning = tune && !linear ? await onDemand(import("./tune.ts"), startSeconds) : undefined;
  const tuned = await tuning?.tunerOf(parts, description, tune as true | TuningStore, measure);
  const states = new Map<StateBuffer, GPUBuffer>();
  // In Node the garbage collector takes a `gpu` that nobody holds, and its devices with it.
  const held = new Set<unknown>([options.gpu, options.adapter]);

  const stateBuffer = (state: StateBuffer | undefined, name: string): GPUBuffer => {
    const buffer = state && states.get(state);
    if (buffer) return buffer;
    throw new DisposedError({
      subject: name,
      given: state ? "a disposed buffer" : "no buffer",
      expected: "a live state buffer of this backend",
      remedy: "Use it before dispose(), with the backend that made it.",
    });
  };

  /** The state's GPU buffer, when elements offset .. offset + length - 1 exist. */
  const rangeOf = (state: StateBuffer, offset: number, length: number): GPUBuffer => {
    health.check();
    const buffer = stateBuffer(state, "state buffer");
    if (offset >= 0 && length >= 0 && offset + length <= state.length) return buffer;
    throw new LimitError({
      subject: `range of state "${buffer.label}"`,
      given: `${length} elements from ${offset} on`,
      expected: `a range within its ${state.length} elements`,
      remedy: "Check the offset and the length.",
    });
  };

  return {
    name: "webgpu",
    device: description,
    refusal: tuned?.refusal,
    limits: planLimitsOf(device.limits, {
      wholeNetworks: options.wholeNetworks ?? !isSoftware(description),
      storage: options.storage,
    }),

    createState(label, length) {
      health.check();
      const flags = usage.storage | usage.copySource | usage.copyTarget;
      const buffer = buffers.create(label, length * BYTES_PER_ELEMENT, flags);
      const state: StateBuffer = {
        length,
        dispose() {
          if (states.delete(state)) buffers.destroy(buffer);
        },
      };
      states.set(state, buffer);
      return state;
    },

    write(state, offset, values) {
      const buffer = rangeOf(state, offset, values.length);
      const words = values instanceof Float64Array ? Float32Array.from(values) : values;
      device.queue.writeBuffer(buffer, offset * BYTES_PER_ELEMENT, words as GPUAllowSharedBufferSource);
    },

    async read(state, offset, length, dtype) {
      const buffer = rangeOf(state, offset, length);
      await health.settled();
      const bytes = await buffers.read(buffer, offset * BYTES_PER_ELEMENT, length * BYTES_PER_ELEMENT);
      health.check();
      return dtype === "f32" ? new Float32Array(bytes) : new Uint32Array(bytes);
    },

    copy(source, target) {
      const from = rangeOf(source, 0, source.length);
      const to = rangeOf(target, 0, source.length);
      const encoder = device.createCommandEncoder({ label: `copy ${from.label}` });
      encoder.copyBufferToBuffer(from, 0, to, 0, source.length * BYTES_PER_ELEMENT);
      device.queue.submit([encoder.finish()]);
    },

    async load(program, state) {
      health.check();
      const bufferNamed = (name: string) => stateBuffer(state.get(name), `state "${name}" of "${program.name}"`);
      await fetchForms(forms, new Set(program.calls.map(({ kernel }) => kernel)));
      const choice = (await tuned?.tune(program)) ?? linear;
      const chosen = { ...parts, lowering: { ...lowering, linear: choice } };
      return loadProgram(chosen, program, bufferNamed);
    },

    async finished() {
      health.check();
      await health.whileAlive(device.queue.onSubmittedWorkDone());
      await health.settled();
    },

    lost: health.lost,
    answers: () => health.answers(),
    memory: () => buffers.memory(),

    dispose() {
      health.dispose();
      states.clear();
      buffers.dispose();
      if (owned) device.destroy();
      held.clear();
    },
  };
}

/** What these kernels need beside what every page has. */
async function fetchForms(forms: Forms, kernels: ReadonlySet<string>): Promise<void> {
  if (kernels.has("convolve") || kernels.has("matmulEach"))
    forms.networks ??= (await onDemand(import("./network-forms.ts"))).networkForms;
  if (kernels.has("attention") || kernels.has("attentionReverse"))
    forms.attention ??= (await onDemand(import("./attention-source.ts"))).attentionDispatches;
  if (kernels.has("mlpFlow"))
    forms.wholeNetwork ??= (await onDemand(import("./whole-network-form.ts"))).wholeNetworkForm;
}
