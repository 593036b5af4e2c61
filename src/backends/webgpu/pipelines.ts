/** Compute pipelines, each compiled once per device: by shader, specialisation and access of its bindings. */
import { UnsupportedError } from "../../errors.ts";
import type { Dispatch } from "./dispatch.ts";
import { computeStage } from "./flags.ts";
import type { Health } from "./health.ts";

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

export class Pipelines {
  readonly #device: GPUDevice;
  readonly #health: Health;
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #pipelines = new Map<string, Promise<Pipeline>>();

  constructor(device: GPUDevice, health: Health) {
    this.#device = device;
    this.#health = health;
  }

  /** @throws {@link UnsupportedError} when the device's compiler refuses the shader. */
  get(dispatch: Dispatch): Promise<Pipeline> {
    const { code, constants, bindings } = dispatch;
    const access = bindings.map((binding) => binding.access).join(" ");
    const key = JSON.stringify([access, constants, code]);
    const known = this.#pipelines.get(key);
    if (known) return known;
    const made = this.#health.whileAlive(this.#compile(dispatch, access));
    this.#pipelines.set(key, made);
    made.catch(() => this.#pipelines.delete(key));
    return made;
  }

  async #compile({ kernel, code, constants, label }: Dispatch, access: string): Promise<Pipeline> {
    const layout = this.#layout(access);
    try {
      const pipeline = await this.#device.createComputePipelineAsync({
        label: kernel,
        layout: this.#device.createPipelineLayout({ label: kernel, bindGroupLayouts: [layout] }),
        compute: { module: this.#module(kernel, code), entryPoint: kernel, constants: { ...constants } },
      });
      return { pipeline, layout };
    } catch (cause) {
      throw new UnsupportedError(
        {
          subject: `kernel "${kernel}", for "${label}"`,
          given: cause instanceof Error ? cause.message : String(cause),
          expected: "a device whose compiler takes it",
          remedy: 'Update the browser or the graphics driver, or use backend "wasm".',
        },
        { cause },
      );
    }
  }

  #module(label: string, code: string): GPUShaderModule {
    let module = this.#modules.get(code);
    if (!module) {
      module = this.#device.createShaderModule({ label, code });
      this.#modules.set(code, module);
    }
    return module;
  }

  /** The uniform and then storage buffers, read or written. */
  #layout(access: string): GPUBindGroupLayout {
    let layout = this.#layouts.get(access);
    if (!layout) {
      const types = access
        .split(" ")
        .map((each): GPUBufferBindingType => (each === "read" ? "read-only-storage" : "storage"));
      layout = this.#device.createBindGroupLayout({
        label: access,
        entries: ["uniform" as const, ...types].map((type, binding) => ({
          binding,
          visibility: computeStage,
          buffer: { type },
        })),
      });
      this.#layouts.set(access, layout);
    }
    return layout;
  }
}
