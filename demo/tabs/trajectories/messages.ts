/** What the tab and its worker say to each other. */
import type { Asked, Numbered, OpenMessage, Trained } from "../shipped/messages.ts";
import type { EventName, ShownSystem } from "./systems.ts";

export interface Question {
  /** Undefined: as the model has learned. */
  readonly event: { readonly name: EventName; readonly threshold: number; readonly strength: number } | undefined;
  /** Of Heun, two evaluations of the network each. */
  readonly steps: number;
  readonly seed: number;
}

export interface Open extends OpenMessage {
  readonly system: ShownSystem["name"];
  /** Of the shipped model. */
  readonly address: string;
  /** Of the divergence loss, when it trains on. */
  readonly weight: number;
}
export type ToWorker = Open | Asked<Question>;

/** Trajectories [count, length, coordinates] of the model as it is, so far. */
export interface Drawn {
  readonly question: Question;
  readonly step: number;
  readonly values: Float32Array;
  /** How many there will be. */
  readonly wanted: number;
  readonly milliseconds: number;
  /** Of the network, for each. */
  readonly evaluations: number;
  /** Root mean square of where states lie off from where the system leads those before them, over how far it leads. */
  readonly defect: number | undefined;
}

export type News =
  | {
      readonly kind: "opened";
      readonly system: ShownSystem["name"];
      /** True trajectories, that the model never saw. */
      readonly truth: Float32Array;
      readonly length: number;
      readonly device: string;
      readonly bytes: number;
    }
  | { readonly kind: "drawn"; readonly drawn: Drawn }
  | Trained;
export type FromWorker = Numbered<News>;
