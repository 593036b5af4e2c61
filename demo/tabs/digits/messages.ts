/** What the tab and its worker say to each other. */
import type { Asked, Numbered, OpenMessage, Trained } from "../shipped/messages.ts";

export interface Question {
  /** A class, or null: all ten, column by column. */
  readonly label: number | null;
  /** Strength of guidance by the class. */
  readonly guidance: number;
  /** Of Heun, two evaluations of the network each. */
  readonly steps: number;
  readonly seed: number;
}

export interface Open extends OpenMessage {
  /** Addresses of the shipped model, and of the shipped digits. */
  readonly model: string;
  readonly digits: string;
}
export type ToWorker = Open | Asked<Question>;

export interface Film {
  readonly question: Question;
  readonly step: number;
  /** Pictures [frames, COUNT, SIDE, SIDE] so far, black -1, white 1: from noise on. */
  readonly frames: Float32Array;
  /** How many frames there will be. */
  readonly wanted: number;
  readonly milliseconds: number;
}

export type News =
  | {
      readonly kind: "opened";
      /** True ones, [COUNT, SIDE, SIDE], column by column of a class. */
      readonly truth: Float32Array;
      readonly device: string;
      readonly bytes: number;
    }
  | { readonly kind: "film"; readonly film: Film }
  | Trained;
export type FromWorker = Numbered<News>;
