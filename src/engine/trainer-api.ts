/** What users hold of training: its options, its reports, the trainer. */
import type { DataSource } from "../data/source.ts";
import type { Coupling } from "../flow/couplings/coupling.ts";
import type { Loss } from "../flow/losses/loss.ts";
import type { PathScheduler } from "../flow/paths/path.ts";
import type { Network } from "../nn/network.ts";
import type { Optimizer } from "../train/adam.ts";
import type { Ema } from "../train/ema.ts";
import type { MetricName } from "../train/step.ts";
import type { ValidationCriterion, ValidationMetrics } from "../train/validation.ts";
import type { Model } from "./model-api.ts";

/** What is trained, on what, and how: options of {@link createTrainer}. */
export interface TrainerOptions {
  /** Its dimension is the data's. */
  readonly network: Network;
  readonly path: PathScheduler;
  readonly loss: Loss;
  /** Default: adam(). */
  readonly optimizer?: Optimizer;
  readonly data: DataSource;
  /**
   * What paths begin at, in data units: any distribution of the data's dimension, such as other points of a user's own (data to
   * data). Default: noise, N(0, I) in model units. Models then sample from points of it: `sample({ start })`.
   */
  readonly start?: DataSource;
  /** How starts are paired with data, of `divflow/flows`: default independent(). docs/couplings.md says when to take which. */
  readonly coupling?: Coupling;
  /** Default 512. */
  readonly batchSize?: number;
  /** Of the initial parameters and of everything drawn in training; an integer from 0 to 2^53 - 1. Default 0. */
  readonly seed?: number;
  /** Also keep an average of the parameters; models then use it unless told otherwise. */
  readonly ema?: Ema;
  /** Longer gradients are scaled down to this global norm. */
  readonly maximumGradientNorm?: number;
  /**
   * What is never trained on and judged now and then while training: of {@link arrayData} a share of the rows in (0, 1),
   * a number of rows, or row numbers, drawn by `seed` as {@link splitRows} does, the standardisation being fitted on the
   * others; or a source of its own. The model then keeps its best parameters, `best`. Beside a start or a coupling rows held out are
   * paired with starts drawn once. Default: nothing.
   */
  readonly validation?: number | readonly number[] | DataSource;
  /** Steps between validations, the bits of training being the same for all; default 100. */
  readonly validateEvery?: number;
  /** Whether a run ends when validations get no better; default false. */
  readonly earlyStopping?: boolean | EarlyStopping;
  /**
   * Standard deviation of Gaussian noise upon the rows of {@link arrayData}, anew each time a row is drawn and in
   * standardised units (also where the data are not standardised): against overfitting where rows are few. "auto": by
   * the number of rows and dimensions, as docs/data.md says. Default 0. Rows held out get none.
   */
  readonly jitter?: number | "auto";
  /**
   * Where the parameters begin: at those of a model of the same network, or of a model's or trainer's file; the best
   * ones where it has them, else the average, unless `best` or `ema` say otherwise. Default: drawn by `seed`.
   */
  readonly initial?: Model | Uint8Array | ArrayBuffer | InitialParameters;
  /**
   * Steps between copies of the state on the host in the middle of a run, from which it goes on when the device is lost.
   * Default: 30 s. There is one at the end of a run too, and when the model is used.
   */
  readonly snapshotEvery?: number;
  /** Gives up drawing parameters and planning: the call then throws its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called now and then while the step is planned, which takes long for deep networks: passes done, and of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface EarlyStopping {
  /** Validations in a row without a better one, after which a run ends; default 20. Infinity: it goes on. */
  readonly patience?: number;
  /** What is better; default "negativeLogLikelihood" of up to 64 rows, else "velocityLoss". docs/data.md says why. */
  readonly by?: ValidationCriterion;
}

export interface InitialParameters {
  readonly from: Model | Uint8Array | ArrayBuffer;
  /** Whether to begin at its best parameters. Default: where it has them, and `ema` is left out. */
  readonly best?: boolean;
  /** Whether to begin at its average. Default: where it has one. */
  readonly ema?: boolean;
}

/** The metrics of one training step. */
export type StepMetrics = { readonly step: number } & Readonly<Record<MetricName, number>>;

/** Where a run stands after `step` steps, counted from the first ever; metrics are those of the last step. */
export interface Progress extends StepMetrics {
  /** Every step since the last report, in order, this one included. */
  readonly steps: readonly StepMetrics[];
  /** Since `run` was called. */
  readonly seconds: number;
  /** The last of the validations since the last report. Left out: there was none. */
  readonly validation?: ValidationMetrics;
  /** All of them, in order. */
  readonly validations?: readonly ValidationMetrics[];
  /** Whether early stopping ends the run here. */
  readonly stopped?: boolean;
}

/** Options of {@link Trainer.run}. */
export interface RunOptions {
  /** How many more steps, whatever the trainer's `step` is. */
  readonly steps: number;
  readonly signal?: AbortSignal;
  /**
   * Report at each multiple of so many steps, and at the end; after 65,536 in any case, since a report lists its steps.
   * Default: a few times a second.
   */
  readonly progressEvery?: number;
}

/** A training run: its state lies on the device, a step is one program. Disposing it disposes its model. */
export interface Trainer extends Disposable {
  /** Steps done, also before a resume. */
  readonly step: number;
  /**
   * The model being trained; it uses this trainer's parameters as they are when it is asked, the best ones where there
   * was a validation.
   */
  readonly model: Model;
  /** The best validation so far; the model's parameters of that step are kept. */
  readonly best: ValidationMetrics | undefined;
  /** Whether early stopping has ended training: a run then does nothing more. */
  readonly stopped: boolean;
  /** Numbers of the rows of {@link arrayData} trained on, ascending; undefined for other data. */
  readonly trainingRows: Uint32Array | undefined;
  /** Numbers of the rows held out, ascending; undefined where none are. */
  readonly heldOutRows: Uint32Array | undefined;
  /** What speaks against these options, a sentence each, such as fewer rows than parameters. */
  readonly warnings: readonly string[];
  /**
   * Trains, step after step on the device, and reports now and then. How a run is cut into calls, submissions or
   * reports does not change a bit of the result, nor does validating. Leaving the loop stops the run at the step
   * reported last; early stopping ends it for good. Whatever else ends it, a last report with the steps that none has
   * told comes before the error.
   *
   * @throws the signal's reason, within one submission of its abort; the trainer can go on.
   * @throws {@link NumericError} naming the first step whose loss, gradient or new parameters were not finite; the state
   * before it stays.
   * @throws {@link LimitError} before any work, when the trainer would pass step 2^32 - 1.
   * @throws {@link DeviceLostError} when the device is lost and no other can be had.
   */
  run(options: RunOptions): AsyncGenerator<Progress, void, undefined>;
  /**
   * The whole state as bytes of a safetensors file: {@link resume} goes on from it, bit for bit. Where a GPU is lost in the
   * middle of a run and no other is to be had, it is the last snapshot, and `step` is then that one's.
   */
  checkpoint(): Promise<Uint8Array>;
  /** What a step does: the kernel calls of its program, as text. */
  describe(): Promise<string>;
  dispose(): void;
}
