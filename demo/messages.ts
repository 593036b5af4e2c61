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

/** `prepare` makes both trainers anew and drops what came before; `start` trains them until `pause`. */
export type ToWorker =
  | { readonly kind: "prepare"; readonly attempt: number; readonly settings: Settings }
  | { readonly kind: "start" }
  | { readonly kind: "pause" };

/** A picture of where the data can be, [size, size], from the top left: 1 there, else 0. */
export interface Support {
  readonly size: number;
  readonly cells: Uint8Array;
}

/** A model that training left, as a file. */
export interface Kept {
  readonly name: LossName;
  readonly step: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export type News =
  | {
      readonly kind: "ready";
      readonly reason: string;
      /** Points of the data, row-major [count, 2]. */
      readonly truth: Float32Array;
      /** Half the side of the square to show. */
      readonly extent: number;
      readonly support: Support;
    }
  | {
      readonly kind: "losses";
      readonly name: LossName;
      readonly step: number;
      /** Mean velocity loss over the steps since the last message. */
      readonly velocityLoss: number;
      readonly millisecondsPerStep: number;
      /** Of training since the last `prepare`, of this model alone. */
      readonly seconds: number;
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
  /** Training goes on elsewhere: the GPU is gone. */
  | { readonly kind: "moved"; readonly reason: string }
  | { readonly kind: "failed"; readonly message: string; readonly kept: readonly Kept[] };

/** News of the trainers that the `prepare` of this number asked for. */
export type FromWorker = News & { readonly attempt: number };
