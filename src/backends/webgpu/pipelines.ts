/**
 * Compute pipelines, each compiled once per device while it is in use: by shader, specialisation and access of its
 * bindings. Of those that no program uses any more, the last {@link MOST_UNUSED} are kept for the next.
 */
import { UnsupportedError } from "../../errors.ts";
import type { Dispatch } from "./dispatch.ts";
import { computeStage } from "./flags.ts";
import type { Health } from "./health.ts";

/** Two or three programs' worth: a trainer made anew, or a number of points asked for again, compiles nothing. */
export const MOST_UNUSED = 64;

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Pipelines in the order of their dispatches, in use until `release`, which may be called once. */
export interface HeldPipelines {
  readonly made: readonly Promise<Pipeline>[];
  release(): void;
}

interface Entry {
  readonly made: Promise<Pipeline>;
  /** How often it is held. */
  uses: number;
}

export class Pipelines {
  readonly #device: GPUDevice;
  readonly #health: Health;
  /** By few words each. */
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #entries = new Map<string, Entry>();
  /** Keys of entries that nobody holds, the one used last at the end. */
  readonly #unused = new Set<string>();

  constructor(device: GPUDevice, health: Health) {
    this.#device = device;
    this.#health = health;
  }

  /** How many there are. */
  get count(): number {
    return this.#entries.size;
  }

  /** Each rejects with an {@link UnsupportedError} when the device's compiler refuses the shader. */
  hold(dispatches: readonly Dispatch[]): HeldPipelines {
    const held = dispatches.map((dispatch) => this.#hold(dispatch));
    return {
      made: held.map(({ entry }) => entry.made),
      release: () => {
        for (const { key, entry } of held) this.#release(key, entry);
      },
    };
  }

  #hold(dispatch: Dispatch) {
    const access = dispatch.bindings.map((binding) => binding.access).join(" ");
    const key = JSON.stringify([access, dispatch.kernel, dispatch.constants, dispatch.code]);
    const known = this.#entries.get(key);
    const entry = known ?? { made: this.#health.whileAlive(this.#compile(dispatch, access)), uses: 0 };
    if (!known) {
      this.#entries.set(key, entry);
      entry.made.catch(() => this.#entries.get(key) === entry && this.#forget(key)); // the next may try again
    }
    entry.uses++;
    this.#unused.delete(key);
    return { key, entry };
  }

  #release(key: string, entry: Entry): void {
    if (--entry.uses > 0 || this.#entries.get(key) !== entry) return;
    this.#unused.add(key);
    for (const oldest of this.#unused) {
      if (this.#unused.size <= MOST_UNUSED) break;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    this.#entries.delete(key);
    this.#unused.delete(key);
  }

  async #compile({ kernel, code, constants, label }: Dispatch, access: string): Promise<Pipeline> {
    const layout = this.#layout(access);
    try {
      const pipeline = await this.#device.createComputePipelineAsync({
        label: kernel,
        layout: this.#device.createPipelineLayout({ label: kernel, bindGroupLayouts: [layout] }),
        compute: {
          module: this.#device.createShaderModule({ label: kernel, code }),
          entryPoint: kernel,
          constants: { ...constants },
        },
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
