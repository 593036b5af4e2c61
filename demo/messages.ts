/** What the page and its worker say to each other. */

export type LossName = "cfm" | "fdm";
export const lossNames = ["cfm", "fdm"] as const satisfies readonly LossName[];

export interface Settings {
  readonly width: number;
  /** Weight of the divergence loss, for FDM. */
  readonly divergence: number;
  readonly seed: number;
  readonly backend: "auto" | "webgpu" | "wasm";
}

/**
 * `prepare` makes both trainers anew; `start` trains them until `pause`. What the worker says carries the attempt that
 * it is about, so that a page which has asked for another takes no word of the old one for the new.
 */
export type ToWorker =
  | { readonly kind: "prepare"; readonly attempt: number; readonly settings: Settings }
  | { readonly kind: "start" }
  | { readonly kind: "pause" };

export type FromWorker = Said & { readonly attempt: number };

export type Said =
  | { readonly kind: "ready"; readonly reason: string; readonly truth: Float32Array; readonly extent: number }
  | {
      readonly kind: "losses";
      readonly name: LossName;
      readonly step: number;
      /** Mean velocity loss over the steps since the last message. */
      readonly velocityLoss: number;
      readonly millisecondsPerStep: number;
    }
  | {
      readonly kind: "samples";
      readonly name: LossName;
      readonly step: number;
      /** Row-major [count, 2]. */
      readonly values: Float32Array;
      /** Share of them where the data has density 0. */
      readonly outside: number;
    }
  | { readonly kind: "paused" }
  | { readonly kind: "failed"; readonly message: string };
