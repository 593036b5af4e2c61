/**
 * What an experiment is: some jobs (make data, train a model, judge it, draw) that the core runs for every loss and seed alike.
 * docs/experiments.md says how to add one: a file beside this one, and a line in registry.ts.
 */
import type { Model, NpyArray, Runtime, TrainerOptions, ValidationMetrics } from "../../index.ts";

export const presetNames = ["quick", "standard", "paper"] as const;
export type PresetName = (typeof presetNames)[number];

/** What may be chosen of an experiment, by name: `--set steps=500,data=moons` changes some of a preset's. */
export type Settings = Readonly<Record<string, number | string | boolean>>;

export interface Preset<S extends Settings = Settings> {
  readonly settings: S;
  /** How many, where --seeds does not say. */
  readonly seeds: number;
  /** How long it takes and on what, in a sentence: said before it starts. */
  readonly cost: string;
}

/** One of the losses, or other ways to make a model, that an experiment holds against each other. */
export interface Contender {
  /** As tables have it: "FDM". */
  readonly title: string;
  /** What it is, in a line. */
  readonly about: string;
  /** What a step of it costs in steps of CFM, roughly: for the time left. */
  readonly cost: number;
  /** It stands in tables for what chance or no model gives: no sentence says who won against it. */
  readonly isBaseline?: boolean;
}

/** A figure of the paper, or of others: reported there, not computed here. */
export interface PaperFigure {
  /** What is measured, with its unit and which way is better. */
  readonly measure: string;
  /** By contender's name or by a system's own, as printed there: "2.53e-2", "123 ± 4.5". */
  readonly figures: Readonly<Record<string, string>>;
  /** The metric of ours that stands beside it. */
  readonly metric?: string;
  readonly source: string;
}

/** A figure that a finished model is judged by. */
export interface Metric {
  /** In JSON, equal for all models. */
  readonly name: string;
  /** In tables. */
  readonly title: string;
  /** Such as "nats"; left out: a pure number. */
  readonly unit?: string;
  /** Which way is better; left out: neither. */
  readonly better?: "lower" | "higher";
  /** NaN: none, which tables leave out. */
  readonly value: number;
  /** Its standard error as an estimate, such as over points; left out: not known. */
  readonly error?: number;
  /**
   * Of a mean over held-out points, the same for all losses: the kept array of the points' numbers, or of minus these. Two models'
   * difference on the same points is surer than either mean.
   */
  readonly each?: string;
}

/** Figures along an axis, such as an error by time step: a chart of the report, a line for each loss. */
export interface Series {
  readonly name: string;
  readonly title: string;
  /** What its values are, with their unit. */
  readonly note: string;
  /** Name of the axis, with its unit. */
  readonly across: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** What is written of a judged model: plain JSON. */
export interface Judgement {
  readonly metrics: readonly Metric[];
  readonly series?: readonly Series[];
  /** Why there are none: a training or a model that is no longer finite. The core writes it. */
  readonly failed?: string;
}

/** A training to be done, or gone on with. */
export interface Fit {
  /** Of the model, where a contender trains several one after the other. Default: "", the contender's own. */
  readonly name?: string;
  readonly steps: number;
  /** As `createTrainer` takes them. The seed is the run's. */
  readonly options: Omit<TrainerOptions, "seed" | "signal" | "onProgress">;
}

/** A training that is done. */
export interface Fitted {
  readonly step: number;
  readonly seconds: number;
  /** By early stopping. */
  readonly stopped: boolean;
  /** Of the rows held out, whose parameters the model uses. */
  readonly best?: ValidationMetrics;
}

/** What each job has. Equal settings, input and seed have to give equal bits. */
export interface Job<S extends Settings> {
  readonly runtime: Runtime;
  readonly settings: S;
  /** The data set or file that the command names; the experiment's default, or "", where it names none. */
  readonly input: string;
  /** Of parameters, training data, batches, noise and probes: the same for all losses. */
  readonly seed: number;
  /** Of everything that is drawn for judging: no point is one that was trained on. */
  readonly evaluationSeed: number;
  /** Aborts at Ctrl-C: hand it on to whatever takes long. */
  readonly signal: AbortSignal;
  /** How much of the job is done, from 0 to 1; also takes a turn, so that signals are seen. */
  progress(done: number, note?: string): Promise<void>;
  /**
   * An array of this job by name, as NAME.npy in its folder: made if it is not there, else read. So what took long is done
   * once, and samples can be looked at later.
   */
  kept(name: string, make: () => Promise<Values> | Values): Promise<NpyArray>;
  /** A text of this job by name with its ending, such as rows.csv, in its folder: made if it is not there, else read. */
  keptText(name: string, make: () => Promise<string> | string): Promise<string>;
  /** Trains a model, or goes on with it, or finds it done. */
  fitModel(fit: Fit): Promise<Fitted>;
  /** A model of this job that is fitted. Whoever asks disposes it: `using model = await job.model()`. */
  model(name?: string): Promise<Model>;
}

export interface Values {
  readonly values: Float32Array | Float64Array;
  readonly shape: readonly number[];
}

/** A job of one loss. */
export interface LossJob<S extends Settings, Data> extends Job<S> {
  /** Name of the contender. */
  readonly loss: string;
  /** What `prepare` gave for this seed. */
  readonly data: Data;
}

/** A judged model, as pictures need it. */
export interface Shown {
  readonly loss: string;
  /** Its title, and the class of its colour in the report. */
  readonly title: string;
  readonly style: string;
  readonly seed: number;
  readonly judgement: Judgement;
  /** An array that `train` or `judge` kept. */
  array(name: string): Promise<NpyArray>;
  /** A text that they kept. */
  text(name: string): Promise<string>;
}

export interface Showing<S extends Settings> {
  readonly settings: S;
  readonly input: string;
  /** In the order of losses, then of seeds. */
  readonly models: readonly Shown[];
  readonly seeds: readonly number[];
  /** An array that `prepare` kept for a seed. */
  array(name: string, seed: number): Promise<NpyArray>;
}

/**
 * Methods, not fields with arrows: so an experiment of its own settings and data is one of any.
 */
export interface Experiment<S extends Settings = Settings, Data = unknown> {
  readonly name: string;
  /** For the list of experiments: a line. */
  readonly summary: string;
  /** What is asked and how it is found out, for someone with five minutes: a few sentences. */
  readonly question: string;
  /** What the argument behind the name, or --data, is: left out where there is none. */
  readonly input?: { readonly what: string; readonly default?: string };
  readonly presets: Readonly<Record<PresetName, Preset<S>>>;
  readonly contenders: Readonly<Record<string, Contender>>;
  /** Those that are run where --losses does not say; default cfm, fdm. The first is what the others are held against. */
  readonly losses?: readonly string[];
  /** Names of the metrics that say who won, the first one foremost. */
  readonly headline: readonly string[];
  readonly paper: readonly PaperFigure[];
  /** In what these settings differ from the paper's, a sentence each. */
  differences(settings: S, input: string): readonly string[];
  /** Refuses, before any work, what cannot be: throws {@link ConfigError}. */
  check?(settings: S, input: string): void;
  /** Steps of all trainings of a contender: for the time left. */
  steps(settings: S, loss: string): number;
  /** What the other jobs take, as shares of a CFM training; default 0.05 and 0.2. */
  readonly shares?: { readonly prepare?: number; readonly judge?: number };
  /** Data of a seed, training and held out, the same for all losses. */
  prepare(job: Job<S>): Promise<Data>;
  /** Trains a contender's model, by `job.fitModel`. */
  train(job: LossJob<S, Data>): Promise<void>;
  /** Judges a trained model on held-out data. */
  judge(job: LossJob<S, Data>): Promise<Judgement>;
  /** Pictures for the report as HTML, made of what is kept: `figureOf` and SVG, colours by `style`. */
  pictures(showing: Showing<S>): Promise<string>;
}

/** Checks an experiment's types where it is declared. */
export function defineExperiment<S extends Settings, Data>(experiment: Experiment<S, Data>): Experiment {
  return experiment;
}
