/** What a page asks of the engine in its worker, and what comes back. Objects there are known by number. */
import type { DataSource, StreamStart } from "../../data/source.ts";
import type { ErrorCode, ErrorFacts } from "../../errors.ts";
import type { NamedOptions } from "../../graph/options.ts";
import type { Network } from "../../nn/network.ts";
import type {
  EncodeOptions,
  EvaluateLossesOptions,
  LoadOptions,
  LogDensityOptions,
  Model,
  ResumeOptions,
  RunOptions,
  Runtime,
  RuntimeOptions,
  SampleOptions,
  Trainer,
  TrainerOptions,
  VelocityOptions,
} from "../api.ts";
import type { SentPrograms } from "../cases/sent.ts";
import type { Surroundings } from "../choose-backend.ts";
import type { AskedMore } from "../more-asked.ts";
import type { Plain } from "./plain.ts";

/** Plain options without the signal, whose abort is a message of its own, and without what is told of progress. */
type Sent<Options> = Omit<Plain<Options>, "signal" | "onProgress">;

type Numbers = Float32Array | Float64Array;

/** What of a runtime's options can be sent. */
export type SentRuntimeOptions = Omit<RuntimeOptions, "gpu" | "device" | "worker" | "tune"> & {
  readonly tune?: boolean;
};

/** Each names what it calls. Numbers: of a trainer, model or run. */
export type Question =
  | ({ readonly ask: "createRuntime"; readonly options: SentRuntimeOptions } & Omit<Surroundings, "modules">)
  | { readonly ask: "memory" }
  | ({ readonly ask: "runCase" } & SentPrograms)
  | { readonly ask: "createTrainer"; readonly options: Sent<TrainerOptions>; readonly progress: boolean }
  | {
      readonly ask: "resumeTrainer";
      readonly bytes: Uint8Array;
      readonly options: Sent<ResumeOptions>;
      readonly progress: boolean;
    }
  | { readonly ask: "loadModel"; readonly bytes: Uint8Array; readonly options: Sent<LoadOptions> }
  | { readonly ask: "madeOf"; readonly model: number }
  | { readonly ask: "evaluateLosses"; readonly model: number; readonly options: Sent<EvaluateLossesOptions> }
  | { readonly ask: "run"; readonly trainer: number; readonly options: Sent<RunOptions> }
  | { readonly ask: "next"; readonly run: number }
  | { readonly ask: "leave"; readonly run: number }
  | { readonly ask: "checkpoint"; readonly of: number }
  | { readonly ask: "describe"; readonly trainer: number }
  | {
      readonly ask: "sample";
      readonly model: number;
      readonly options: Sent<SampleOptions>;
      readonly progress: boolean;
    }
  | {
      readonly ask: "logDensity";
      readonly model: number;
      readonly points: Numbers;
      readonly options: Sent<LogDensityOptions>;
      readonly progress: boolean;
    }
  | {
      readonly ask: "encode";
      readonly model: number;
      readonly points: Numbers;
      readonly options: Sent<EncodeOptions>;
      readonly progress: boolean;
    }
  | {
      readonly ask: "more";
      readonly model: number;
      readonly points?: Numbers;
      readonly options: Sent<AskedMore>;
      readonly progress: boolean;
    }
  | {
      readonly ask: "velocity";
      readonly model: number;
      readonly points: Numbers;
      readonly times: Numbers;
      readonly options: Sent<VelocityOptions>;
    };

export type ToEngine =
  | { readonly kind: "ask"; readonly id: number; readonly question: Question }
  /** The signal given with this question, or with the run whose next report it asks for, was aborted. */
  | { readonly kind: "abort"; readonly id: number }
  | { readonly kind: "dispose"; readonly number: number }
  /** What a stream gave when the engine asked for its next rows. */
  | { readonly kind: "pulled"; readonly id: number; readonly pulled: Pulled };

/** What an iterator gives, or the number by which the page knows what it has thrown. */
export type Pulled = IteratorResult<unknown, undefined> | { readonly failure: number };

/** A stream as it is sent: its function stays on the page, which knows it by number. */
export interface PlainStream extends NamedOptions, Pick<DataSource, "standardization"> {
  readonly stream: number;
  readonly isOwn: boolean;
}

/** What the engine says of itself. */
export type RuntimeFacts = Pick<Runtime, "backend" | "device" | "reason">;

/** Where a trainer stands. */
export type Standing = Pick<Trainer, "step" | "best" | "stopped">;

/** What is known on the other side of a model that was made. */
export interface MadeModel extends Pick<Model, "dimension" | "step" | "columns" | "shape" | "conditions"> {
  readonly number: number;
}

/** What a model is made of, as its file says it: the answer to "madeOf". */
export interface MadeOf {
  readonly network: Pick<Network, "kind" | "config">;
  readonly path: NamedOptions;
}

/** The same of a trainer. */
export interface MadeTrainer extends Pick<Trainer, "trainingRows" | "heldOutRows" | "warnings"> {
  readonly number: number;
  readonly standing: Standing;
  readonly model: MadeModel;
}

export type SentError =
  | { readonly kind: "aborted" }
  | { readonly kind: "divflow"; readonly code: ErrorCode; readonly facts: ErrorFacts }
  /** What a stream of the page has thrown. */
  | { readonly kind: "stream"; readonly failure: number }
  | { readonly kind: "other"; readonly name: string; readonly message: string };

export type FromEngine =
  /** The module has loaded: what a page waits for, since a worker that cannot load says so only by an event. */
  | { readonly kind: "loaded" }
  /** The next rows are wanted of an iterator, which begins here where there is none of this number. */
  | {
      readonly kind: "pull";
      readonly id: number;
      readonly iterator: number;
      readonly stream: number;
      readonly start: StreamStart;
      /** What the iterator is given: two batches of which it is to make pairs. */
      readonly given?: unknown;
    }
  /** An iterator is wanted no more. */
  | { readonly kind: "leave"; readonly iterator: number }
  /** How far a question is that asked for progress. */
  | { readonly kind: "progress"; readonly id: number; readonly done: number; readonly total: number }
  | ({ readonly kind: "answer"; readonly id: number; readonly value: unknown } & News)
  | ({ readonly kind: "failure"; readonly id: number; readonly error: SentError } & News);

/** Told beside an answer, be it good or bad. */
interface News {
  /** Of the trainer that was asked. */
  readonly standing?: Standing;
  /** Where it has changed. */
  readonly runtime?: RuntimeFacts;
}
