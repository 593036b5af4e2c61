/** What the tab and its worker say to each other. Everything here can be cloned from thread to thread. */
import type { Range } from "../plane.ts";

export interface PosteriorSettings {
  readonly code: string;
  /** Each parameter is even between these. */
  readonly priors: readonly [Range, Range];
  readonly simulations: number;
  /** Of the divergence loss; 0 is conditional flow matching. */
  readonly weight: number;
  /** Deviation of noise on the parameters. */
  readonly noise: number;
  readonly steps: number;
  readonly seed: number;
  readonly backend: "auto" | "webgpu" | "wasm";
}

export type ToWorker =
  /** Simulates anew, and makes a flow that knows nothing yet. */
  | { readonly kind: "prepare"; readonly attempt: number; readonly settings: PosteriorSettings }
  | { readonly kind: "start" }
  | { readonly kind: "pause" }
  /** Another observation; the newest is answered, those that it overtook are not. */
  | { readonly kind: "observe"; readonly observation: readonly [number, number] };

/** What is known of an observation's posterior. */
export interface Answer {
  readonly observation: readonly [number, number];
  readonly step: number;
  /** [count, 2], in the parameters' units. */
  readonly samples: Float32Array;
  /** The flow's own density, [side, side] from the bottom left. */
  readonly density?: { readonly side: number; readonly values: Float32Array };
  /** Pieces of lines that hold half, and nine tenths, of the exact posterior. */
  readonly exact?: readonly [Float32Array, Float32Array];
  /** What the simulator gives with some of the samples, [count, 2]. */
  readonly predicted: Float32Array;
  /** Of the samples. */
  readonly milliseconds: number;
  readonly warnings: readonly string[];
}

/** How near samples come to the exact posterior. */
export interface Compared {
  readonly observation: readonly [number, number];
  /** Of a classifier: 0.5 cannot tell them apart, 1 always can. */
  readonly accuracy: number;
  readonly standardError: number;
  /** Of so many samples as many count, weighed by exact over learned density. */
  readonly effective: number;
  readonly samples: number;
}

export type News =
  | {
      readonly kind: "simulated";
      readonly parameters: readonly string[];
      readonly priors: readonly [Range, Range];
      /** Of some simulations, [count, 2]. */
      readonly data: Float32Array;
      /** What is shown of the plane of data. */
      readonly box: readonly [Range, Range];
      readonly count: number;
      /** Where to begin: of a ready simulator its own, else the middle of the data. */
      readonly observation: readonly [number, number];
      readonly warnings: readonly string[];
      /** Nats that data tell of parameters, where that is known. */
      readonly possible: number | undefined;
      readonly device: string;
      readonly milliseconds: number;
    }
  | { readonly kind: "trained"; readonly step: number; readonly loss: number; readonly seconds: number }
  /** Nats that the flow has learned of fresh simulations, beyond the prior. */
  | {
      readonly kind: "judged";
      readonly step: number;
      readonly gain: number;
      readonly error: number;
      readonly count: number;
    }
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "compared"; readonly compared: Compared }
  | { readonly kind: "paused"; readonly isDone: boolean }
  /** What was asked cannot be done, and what there was stays. A fault of the text has a line. */
  | { readonly kind: "refused"; readonly message: string; readonly line?: number }
  | { readonly kind: "failed"; readonly message: string };

/** Of the `prepare` of this number. */
export type FromWorker = News & { readonly attempt: number };
