/** Trainer and Model on a page whose engine runs in a worker. */
import { copiedNumbers, type Numbers } from "../../data/numbers.ts";
import { isRecord } from "../../graph/options.ts";
import { networkFromConfig } from "../../nn/registry.ts";
import { pathOf } from "../../train/parts.ts";
import type {
  EncodeOptions,
  Encoding,
  EvaluateLossesOptions,
  LogDensity,
  LogDensityOptions,
  Model,
  Progress,
  RunOptions,
  SampleOptions,
  Samples,
  SolveOptions,
  Trainer,
  TrainerOptions,
  ValidationMetrics,
  VelocityOptions,
} from "../api.ts";
import { dispose, disposed } from "../disposed.ts";
import { plainGuides } from "../guide-options.ts";
import { progressOption } from "../solve-options.ts";
import type { Connection } from "./connection.ts";
import type { MadeModel, MadeOf, MadeTrainer, Standing } from "./messages.ts";
import { toPlain, withGraphs } from "./plain.ts";

type FloatArray = Float32Array | Float64Array;

/** What a model is made of, where it was made here: a user's own loss is made a graph with them. */
export type Around = Partial<Pick<TrainerOptions, "network" | "path">>;

/** The same of what came from a file, which its worker has read. */
async function aroundOf(connection: Connection, model: number): Promise<Around> {
  const made = await connection.ask<MadeOf>({ ask: "madeOf", model });
  const { kind, config } = made.network;
  const [network, path] = await Promise.all([networkFromConfig(kind, config), pathOf(made.path)]);
  return { network, path };
}

type Parted<Options extends { readonly signal?: AbortSignal }> = ReturnType<typeof parted<Options>>;

/**
 * Options as they are sent, their signal and what is told of progress apart. What is no object goes as it is: the engine
 * says what is wrong.
 */
export function parted<Options extends Pick<SolveOptions, "signal" | "onProgress">>(options: Options) {
  const plain = toPlain(options);
  if (!isRecord(plain)) return { options: plain, signal: undefined, onProgress: undefined };
  const { signal, onProgress, ...rest } = plain;
  return {
    options: rest,
    signal: signal as AbortSignal | undefined,
    onProgress: progressOption(onProgress as SolveOptions["onProgress"]),
  };
}

/** Something with a number there, gone after dispose. */
abstract class Remote implements Disposable {
  readonly connection: Connection;
  readonly number: number;
  readonly #name: string;
  #disposed = false;

  constructor(connection: Connection, number: number, name: string) {
    this.connection = connection;
    this.number = number;
    this.#name = name;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.connection.dispose(this.number);
  }

  [dispose](): void {
    this.dispose();
  }

  protected check(): void {
    if (this.#disposed) throw disposed(this.#name);
  }
}

export class RemoteTrainer extends Remote implements Trainer {
  readonly model: RemoteModel;
  readonly trainingRows: Uint32Array | undefined;
  readonly heldOutRows: Uint32Array | undefined;
  readonly warnings: readonly string[];
  #standing: Standing;
  readonly #onStanding = (standing: Standing) => {
    this.#standing = standing;
  };

  constructor(
    connection: Connection,
    { number, model, standing, trainingRows, heldOutRows, warnings }: MadeTrainer,
    around: Around,
  ) {
    super(connection, number, "the trainer");
    this.#standing = standing;
    this.trainingRows = trainingRows;
    this.heldOutRows = heldOutRows;
    this.warnings = warnings;
    this.model = new RemoteModel(connection, model, () => this.best?.step ?? this.step, this.#onStanding, around);
  }

  get step(): number {
    return this.#standing.step;
  }

  get best(): ValidationMetrics | undefined {
    return this.#standing.best;
  }

  get stopped(): boolean {
    return this.#standing.stopped;
  }

  run(options: RunOptions): AsyncGenerator<Progress, void, undefined> {
    return this.#run(parted(options)); // now: the generator's body waits for its first step
  }

  async *#run({ options, signal }: Parted<RunOptions>): AsyncGenerator<Progress, void, undefined> {
    this.check();
    const ask = { signal, onStanding: this.#onStanding };
    const run = await this.connection.ask<number>({ ask: "run", trainer: this.number, options }, ask);
    try {
      for (;;) {
        this.check();
        const next = await this.connection.ask<IteratorResult<Progress, void>>({ ask: "next", run }, ask);
        if (next.done) return;
        yield next.value;
      }
    } finally {
      if (!this.connection.closed) await this.connection.ask({ ask: "leave", run }, { onStanding: this.#onStanding });
    }
  }

  async checkpoint(): Promise<Uint8Array> {
    this.check();
    return this.connection.ask({ ask: "checkpoint", of: this.number }, { onStanding: this.#onStanding });
  }

  async describe(): Promise<string> {
    this.check();
    return this.connection.ask({ ask: "describe", trainer: this.number });
  }

  override dispose(): void {
    this.model.dispose();
    super.dispose();
  }
}

export class RemoteModel extends Remote implements Model {
  readonly dimension: number;
  readonly columns: readonly string[] | undefined;
  readonly shape: readonly number[];
  readonly conditions: Model["conditions"];
  readonly #step: () => number;
  readonly #onStanding: (standing: Standing) => void;
  #around: Around;

  /** @param onStanding - told where its trainer is. */
  constructor(
    connection: Connection,
    { number, dimension, columns, shape, conditions }: MadeModel,
    step: () => number,
    onStanding: (standing: Standing) => void = () => {},
    around: Around = {},
  ) {
    super(connection, number, "the model");
    this.#around = around;
    this.#onStanding = onStanding;
    this.dimension = dimension;
    this.columns = columns && Object.freeze([...columns]);
    this.shape = Object.freeze([...shape]);
    this.conditions = Object.freeze(conditions);
    this.#step = step;
  }

  get step(): number {
    return this.#step();
  }

  async sample(given: SampleOptions): Promise<Samples> {
    if (!isRecord(given)) return this.ask("sample", given);
    const { times, noise, guide, known, ...options }: SampleOptions = given;
    return this.ask("sample", {
      ...options,
      ...plainGuides({ guide, known }, this),
      ...(times === undefined ? {} : { times: copiedNumbers("times of sample", times) }),
      ...(noise === undefined ? {} : { noise: copiedNumbers("noise of sample", noise, this.dimension) }),
    } as SampleOptions);
  }

  async logDensity(given: Numbers, options: LogDensityOptions = {}): Promise<LogDensity> {
    const points = copiedNumbers("points", given, this.dimension);
    return this.ask("logDensity", options, { points });
  }

  async encode(given: Numbers, options: EncodeOptions = {}): Promise<Encoding> {
    const points = copiedNumbers("points", given, this.dimension);
    return this.ask("encode", options, { points });
  }

  async velocity(given: Numbers, givenTimes: Numbers, options: VelocityOptions = {}): Promise<FloatArray> {
    const points = copiedNumbers("points", given, this.dimension);
    const times = copiedNumbers("times of velocity", givenTimes, 1);
    return this.ask("velocity", options, { points, times });
  }

  async checkpoint(): Promise<Uint8Array> {
    this.check();
    return this.connection.ask({ ask: "checkpoint", of: this.number }, { onStanding: this.#onStanding });
  }

  /** A question about this model that takes options. */
  async ask<Answer>(
    ask: "sample" | "logDensity" | "encode" | "velocity" | "evaluateLosses" | "more",
    given: Pick<SolveOptions, "signal" | "onProgress">,
    more: { readonly points?: FloatArray; readonly times?: FloatArray } = {},
  ): Promise<Answer> {
    this.check();
    const { options: plain, signal, onProgress } = parted(given);
    const { loss, path } = Object(given) as Partial<EvaluateLossesOptions>;
    // Asked for where it is needed alone: messages keep their order.
    if (loss?.forNetwork && !this.#around.network) this.#around = await aroundOf(this.connection, this.number);
    const around = path ? { ...this.#around, path } : this.#around;
    const options = withGraphs(plain, around) as typeof plain; // no question to a model has a network
    const question = { ask, model: this.number, options, progress: onProgress !== undefined, ...more } as never;
    const transfer = Object.values(more).map(({ buffer }) => buffer as ArrayBuffer); // copies of our own
    return this.connection.ask(question, { signal, onProgress, transfer });
  }
}
