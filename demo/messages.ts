/** What the page and its worker say to each other. All of it is plain data. */

import type { Revived } from "./keep/keeper.ts";
import type { ModelFile } from "./keep/opened.ts";
import type { View } from "./keep/visit.ts";

/** The two models that are compared, by where they stand. */
export type Side = "left" | "right";
export const sides = ["left", "right"] as const satisfies readonly Side[];

/** What is learned. */
export type DataChoice =
  /** A set of the library, by name. */
  | { readonly kind: "named"; readonly name: string }
  /** Drawn by hand or by letters: a mixture of equal round Gaussians about these points, [count, 2] flat. */
  | { readonly kind: "ink"; readonly title: string; readonly points: readonly number[]; readonly deviation: number }
  /** A table of numbers as text or as npy's bytes: two of its columns. */
  | {
      readonly kind: "table";
      readonly title: string;
      readonly bytes: Uint8Array<ArrayBuffer>;
      readonly columns?: readonly [number, number];
      /** A column whose values are classes. */
      readonly label?: number;
    };

/** The library's sets that the page offers, and what it calls them. */
export const namedSets = {
  checkerboard: "Checkerboard",
  "eight-gaussians": "8 Gaussians",
  moons: "Moons",
  spirals: "Spirals",
  pinwheel: "Pinwheel",
  rings: "Rings",
} as const satisfies Record<string, string>;

export interface Settings {
  readonly data: DataChoice;
  readonly width: number;
  readonly layers: number;
  readonly seed: number;
  readonly backend: "auto" | "webgpu" | "wasm";
  /** Weight of the divergence loss of each model; 0 is conditional flow matching. */
  readonly weights: Readonly<Record<Side, number>>;
  /** Smaller than the usual one where memory was short. */
  readonly batchSize?: number;
  /** Whether networks are told the classes of data that have some. Left out: not. */
  readonly byClass?: boolean;
}

/** What the parts of data are called, where there are some, and which part each of the points shown is of. */
export interface ShownClasses {
  readonly names: readonly string[];
  readonly labels: Uint8Array;
}

export type MapKind = "none" | "density" | "density-error" | "divergence-error" | "difference";

/** How samples are drawn. */
export interface Sampler {
  readonly solver: "euler" | "midpoint" | "heun" | "rk4" | "dopri5";
  /** Of solvers with fixed steps. */
  readonly steps: number;
  /** Of the adaptive one. */
  readonly tolerance: number;
  /** Of networks that are told classes: the one wanted; left out: all, in turn. */
  readonly label?: number;
  /** And how strongly: classifier-free guidance. Left out: 1. */
  readonly guidance?: number;
}

/** What the page shows, and so wants to be told. */
export interface Look {
  /** In [0, 1]. */
  readonly t: number;
  readonly map: MapKind;
  readonly arrows: boolean;
  readonly sampler: Sampler;
  /** Evaluations of the one-step map that is to be trained beside the right model; left out: none is. */
  readonly jumps?: number;
}

/** A field of the guide, by formula: see field/scenes.ts. */
export interface SceneChoice {
  readonly name: "transport" | "errors";
  /** Root mean square of both fields' errors, of "errors". */
  readonly error: number;
  /** Waves of the right one along a radius. */
  readonly waves: number;
}

/** `prepare` makes both models anew, and keeps what there was for `undo`. */
export type ToWorker =
  | {
      readonly kind: "prepare";
      readonly attempt: number;
      readonly settings: Settings;
      /** Whether they are those of the visit before, whose models go on. */
      readonly isKept?: boolean;
    }
  /** What was kept of the visit before; `own`: the name of this tab's, where it was reloaded. */
  | { readonly kind: "revive"; readonly own: string | undefined }
  /** Stores both models as they are, with what the page shows. */
  | { readonly kind: "keep"; readonly attempt: number; readonly view: View }
  /** Goes on with smaller batches, from where the models were when memory was short. */
  | { readonly kind: "shrink"; readonly attempt: number; readonly batchSize: number }
  /** A model of the visitor's stands on the left, as it is. */
  | { readonly kind: "open-model"; readonly file: ModelFile }
  | { readonly kind: "undo"; readonly attempt: number }
  /** Trains until `pause`, or so many steps; a rest between turns makes it slower. */
  | { readonly kind: "start"; readonly steps?: number; readonly restMilliseconds: number }
  | { readonly kind: "pause" }
  | { readonly kind: "look"; readonly look: Look }
  | { readonly kind: "weigh"; readonly side: Side; readonly weight: number }
  /** The model of this side stays as it is, on the left, and the right one begins anew or goes on. */
  | { readonly kind: "pin"; readonly side: Side }
  | { readonly kind: "unpin" }
  | { readonly kind: "scene"; readonly scene: SceneChoice | null }
  /** Both models as they are now, as files. */
  | { readonly kind: "take" }
  | { readonly kind: "verify"; readonly cases: readonly { readonly name: string; readonly text: string }[] };

/** A model that training left, as a file. */
export interface Kept {
  readonly side: Side;
  readonly step: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Where particles and the warped grid are, at each of `times`: [times, count, 2]. */
export interface Frames {
  readonly times: readonly number[];
  readonly particles: Float32Array;
  readonly lattice: Float32Array;
  /** Points along a side of the lattice. */
  readonly latticeSide: number;
  /** Of the network, for one sample; undefined where the solver chooses its steps, or of a formula. */
  readonly evaluations: number | undefined;
  /** Of models that were told classes: each particle's, and what came of it. */
  readonly told?: Told;
}

export interface Told {
  readonly labels: Uint8Array;
  /** Share of particles that end in the part they were told; undefined where that is not known of a point. */
  readonly hits: number | undefined;
  /** Their root mean square distance from the mean of their class, over that of the data's. */
  readonly spread: number;
}

/** What depends on the time that is looked at. Grids are [size, size], from the bottom left, x first. */
export interface Slice {
  readonly t: number;
  readonly arrows?: { readonly size: number; readonly velocities: Float32Array };
  readonly map?: { readonly kind: MapKind; readonly size: number; readonly values: Float32Array };
  /** Root mean square over the data's own density at t, of what the map shows, where that is an error. */
  readonly error?: number;
}

/** What was measured of a model. Undefined is what cannot be had of these data. */
export interface Judged {
  readonly step: number;
  readonly seconds: number;
  /** Mean over points held out, nats, with its standard error. */
  readonly likelihood: number;
  readonly likelihoodError: number;
  /** Half the integral of |learned - true|, on a grid. */
  readonly distance: number | undefined;
  /** What it cannot be above, until LATEST, with its standard error. */
  readonly bound: number | undefined;
  readonly boundError: number | undefined;
  /** Root mean squares against the true marginal field; the divergence's is weighed by 1 - t. */
  readonly velocityError: number | undefined;
  readonly divergenceError: number | undefined;
  /** Sliced 2-Wasserstein distance between samples and points held out, data units. */
  readonly wasserstein: number;
}

export interface DeviceFacts {
  readonly backend: string;
  readonly device: string;
  readonly reason: string;
  readonly threads: string;
  readonly limits: readonly (readonly [name: string, value: string])[];
}

export interface Columns {
  readonly names: readonly string[];
  readonly used: readonly [number, number];
  readonly label?: number;
}

/** A mean, and its standard error. */
export interface Mean {
  readonly mean: number;
  readonly standardError: number;
}

/** How far log-densities of the map's samples are from one another, in nats: see page/one-step.ts. */
export interface MeterRow {
  readonly jumps: number;
  readonly headFromExact: Mean;
  readonly exactFromFlow: Mean;
  /** Over the share of samples where the data have a density; undefined where that is not known. */
  readonly flowFromClosed: (Mean & { readonly share: number }) | undefined;
  /** Share of samples at which the map is not invertible. */
  readonly folded: number;
}

export type News =
  | {
      readonly kind: "ready";
      readonly reason: string;
      /** Points of the data, row-major [count, 2]. */
      readonly truth: Float32Array;
      /** Half the side of the square to show. */
      readonly extent: number;
      /** Differential entropy of the data, nats: no model is below it. */
      readonly entropy: number | undefined;
      readonly notes: readonly string[];
      readonly steps: Readonly<Record<Side, number>>;
      readonly facts: DeviceFacts;
      /** Columns of a table that could be chosen. */
      readonly columns?: Columns;
      readonly classes?: ShownClasses;
      readonly canUndo: boolean;
      /** The settings that these models have: after `undo`, earlier ones. */
      readonly settings: Settings;
      /** What the left one is called where it is pinned. */
      readonly pinned: string | undefined;
      /** Whether these are models that training was done on before. */
      readonly resumed: boolean;
    }
  | {
      readonly kind: "losses";
      readonly side: Side;
      readonly step: number;
      /** Means over the steps since the last message. */
      readonly velocityLoss: number;
      readonly millisecondsPerStep: number;
      /** Of training, of this model alone. */
      readonly seconds: number;
    }
  | {
      readonly kind: "frames";
      readonly side: Side;
      readonly step: number;
      readonly isScene: boolean;
      readonly frames: Frames;
    }
  | {
      readonly kind: "slice";
      readonly side: Side;
      readonly step: number;
      readonly isScene: boolean;
      readonly slice: Slice;
    }
  | { readonly kind: "judged"; readonly side: Side; readonly judged: Judged }
  | { readonly kind: "weighed"; readonly side: Side; readonly weight: number; readonly step: number }
  /** `isOpened`: from a file. */
  | { readonly kind: "pinned"; readonly title: string | null; readonly step: number; readonly isOpened?: boolean }
  | { readonly kind: "activation-wanted"; readonly file: ModelFile; readonly choices: readonly string[] }
  | ({ readonly kind: "revived" } & Revived)
  /** Both models at this step will be there after a reload. */
  | { readonly kind: "kept"; readonly step: number }
  /** Storage is full or blocked; or what was stored cannot be gone on with. */
  | { readonly kind: "not-kept"; readonly message: string }
  | {
      readonly kind: "map";
      readonly jumps: number;
      /** Of the map, and of the model that taught it. */
      readonly steps: number;
      readonly teacherStep: number;
      /** [count, 2], and their log-densities as the map has them. */
      readonly samples: Float32Array;
      readonly logDensity: Float32Array;
    }
  | { readonly kind: "meter"; readonly steps: number; readonly row: MeterRow }
  | { readonly kind: "scene-figures"; readonly figures: Readonly<Record<Side, SceneFigures>> }
  /** Points [count, 2] of each named set, in [-1, 1]. */
  | { readonly kind: "thumbnails"; readonly points: Readonly<Record<string, Float32Array>> }
  | { readonly kind: "facts"; readonly facts: DeviceFacts }
  | { readonly kind: "verified"; readonly report: string; readonly ok: boolean }
  | { readonly kind: "taken"; readonly models: readonly Kept[] }
  | { readonly kind: "paused" }
  /** Training goes on elsewhere: the GPU is gone. */
  | { readonly kind: "moved"; readonly reason: string }
  /** Nothing is lost: what was asked cannot be done. */
  | { readonly kind: "refused"; readonly message: string }
  | {
      readonly kind: "failed";
      readonly message: string;
      readonly kept: readonly Kept[];
      /** Of batches to try, where memory was short. */
      readonly batchSize: number | undefined;
    };

export interface SceneFigures {
  readonly velocityError: number;
  readonly divergenceError: number;
  readonly distance: number;
  readonly bound: number;
}

/** News of the models that the `prepare` of this number asked for. */
export type FromWorker = News & { readonly attempt: number };
