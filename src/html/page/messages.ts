/** What the page and its engine, which is a worker, say to each other. */
import type { ConditionsGiven } from "../../engine/model-api.ts";

export type BackendChoice = "auto" | "webgpu" | "wasm";

export interface SolverChoice {
  readonly name: string;
  /** Of a solver of fixed steps. */
  readonly steps: number;
  /** Of an adaptive one, relative and absolute. */
  readonly tolerance: number;
}

export interface SampleRequest {
  readonly count: number;
  readonly seed: number;
  readonly solver: SolverChoice;
  readonly conditions: ConditionsGiven | undefined;
  readonly guidance: number | undefined;
}

/** `open` takes the model to a backend, in the place of the one before; `stop` ends the sampling of this number. */
export type ToEngine =
  | { readonly kind: "open"; readonly model: Uint8Array; readonly backend: BackendChoice }
  | { readonly kind: "sample"; readonly number: number; readonly request: SampleRequest }
  | { readonly kind: "stop"; readonly number: number };

export type FromEngine =
  | { readonly kind: "opened"; readonly reason: string }
  | { readonly kind: "progress"; readonly number: number; readonly done: number; readonly total: number }
  | {
      readonly kind: "samples";
      readonly number: number;
      /** Row-major [count, D], in data units. */
      readonly values: Float32Array | Float64Array;
      readonly seconds: number;
      readonly reason: string;
    }
  | { readonly kind: "stopped"; readonly number: number }
  /** Without a number: of opening. */
  | { readonly kind: "failed"; readonly number?: number; readonly message: string };
