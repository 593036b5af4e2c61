/** Runtime, Trainer and Model on a page whose engine runs in a worker: each call is a question to it. */
import { onDemand } from "../../backends/on-demand.ts";
import { copiedBytes, copiedNumbers, type Numbers } from "../../data/numbers.ts";
import { ConfigError } from "../../errors.ts";
import { isRecord } from "../../graph/options.ts";
import type {
  BackendName,
  CaseErrors,
  DeviceMemory,
  EncodeOptions,
  Encoding,
  EvaluateLossesOptions,
  LoadOptions,
  LogDensity,
  LogDensityOptions,
  LossMeans,
  Model,
  Progress,
  ResumeOptions,
  RunOptions,
  Runtime,
  SampleOptions,
  Samples,
  SolveOptions,
  Trainer,
  TrainerOptions,
  ValidationMetrics,
  VelocityOptions,
} from "../api.ts";
import { dispose, disposed } from "../disposed.ts";
import { initialBytes } from "../initial.ts";
import { progressOption } from "../solve-options.ts";
import type { Connection } from "./connection.ts";
import type { MadeModel, MadeTrainer, RuntimeFacts, Standing } from "./messages.ts";
import { ownFile } from "./own-file.ts";
import { toPlain, withGraphs } from "./plain.ts";
import { withNetworkOf } from "./sent-network.ts";

type FloatArray = Float32Array | Float64Array;

/** What is known here of a trainer that was made here: a user's own loss is made a graph with them. */
type Around = Partial<Pick<TrainerOptions, "network" | "path">>;

type Parted<Options extends { readonly signal?: AbortSignal }> = ReturnType<typeof parted<Options>>;

/**
 * Options as they are sent, their signal and what is told of progress apart. What is no object goes as it is: the engine
 * says what is wrong.
 */
function parted<Options extends Pick<SolveOptions, "signal" | "onProgress">>(options: Options) {
  const plain = toPlain(options);
  if (!isRecord(plain)) return { options: plain, signal: undefined, onProgress: undefined };
  const { signal, onProgress, ...rest } = plain;
  return {
    options: rest,
    signal: signal as AbortSignal | undefined,
    onProgress: progressOption(onProgress as SolveOptions["onProgress"]),
  };
}

export class RemoteRuntime implements Runtime {
  readonly #connection: Connection;
  #facts: RuntimeFacts;

  constructor(connection: Connection, facts: RuntimeFacts) {
    this.#connection = connection;
    this.#facts = facts;
    connection.onRuntime = (now) => {
      this.#facts = now;
    };
  }

  get backend(): BackendName {
    return this.#facts.backend;
  }

  get device(): string {
    return this.#facts.device;
  }

  get reason(): string {
    return this.#facts.reason;
  }

  memory(): Promise<DeviceMemory> {
    return this.#connection.ask({ ask: "memory" });
  }

  async createTrainer(options: TrainerOptions): Promise<Trainer> {
    const { options: plain, signal, onProgress } = parted(options);
    const initial = isRecord(options) && options.initial !== undefined ? initialBytes(options.initial) : undefined;
    const { network, path } = Object(options) as Partial<TrainerOptions>;
    const around: Around = { ...(network ? { network } : {}), ...(path ? { path } : {}) };
    const made = withGraphs(plain, around);
    const ready = made instanceof Promise ? await made : made;
    const sent = initial ? { ...ready, initial: { from: await initial.bytes, ...initial.choice } } : ready;
    const question = { ask: "createTrainer", options: sent as never, progress: onProgress !== undefined } as const;
    return this.#trainer(await this.#connection.ask(question, { signal, onProgress }), around);
  }

  async resumeTrainer(given: Uint8Array | ArrayBuffer, options: ResumeOptions = {}): Promise<Trainer> {
    const bytes = copiedBytes("bytes of resume", given);
    const { options: plain, signal, onProgress } = parted(options);
    const made = this.#ofFile(bytes, plain);
    const sent = made instanceof Promise ? await made : made;
    const question = { ask: "resumeTrainer", bytes, options: sent, progress: onProgress !== undefined } as const;
    return this.#trainer(await this.#connection.ask(question, { signal, onProgress, transfer: [bytes.buffer] }));
  }

  async loadModel(given: Uint8Array | ArrayBuffer, options: LoadOptions = {}): Promise<Model> {
    const bytes = copiedBytes("bytes of load", given);
    const own = isRecord(options) ? ownFile(bytes, options) : undefined;
    if (!own) return this.#load(bytes, options);
    const { network, bytes: rewritten } = await own;
    const { activation: _1, config: _2, path: _3, ...rest } = options; // the file says them now
    return this.#load(rewritten, { ...rest, network });
  }

  async #load(bytes: Uint8Array, options: LoadOptions): Promise<Model> {
    const ready = this.#ofFile(bytes, toPlain(options));
    const sent = ready instanceof Promise ? await ready : ready;
    const question = { ask: "loadModel", bytes, options: sent } as const;
    const made = await this.#connection.ask<MadeModel>(question, { transfer: [bytes.buffer] });
    return new RemoteModel(this.#connection, made, () => made.step);
  }

  async evaluateLosses(model: Model, options: EvaluateLossesOptions): Promise<LossMeans> {
    if (!(model instanceof RemoteModel && model.connection === this.#connection)) {
      throw new ConfigError({
        subject: "model of evaluateLosses",
        given: model instanceof RemoteModel ? "a model of another runtime" : model,
        expected: "a model made on this runtime",
        remedy: "Evaluate it on the runtime it was made on, or save it and load it here.",
      });
    }
    return model.ask("evaluateLosses", options);
  }

  async verifyCase(text: string, file = "case"): Promise<CaseErrors> {
    if (this.#connection.closed) throw disposed("the runtime");
    const { openCase, sentPrograms } = await onDemand(import("../cases/open-case.ts"));
    const golden = openCase(text, file);
    return golden.errors(await this.#connection.ask({ ask: "runCase", ...sentPrograms(golden) }));
  }

  dispose(): void {
    if (!this.#connection.closed) this.#connection.close();
  }

  [dispose](): void {
    this.dispose();
  }

  /** Options of what reads a file, with the file's network where the worker has no code for it. */
  #ofFile<Options extends object>(bytes: Uint8Array, plain: Options): Options | Promise<Options> {
    const known = withNetworkOf(bytes, plain);
    return known instanceof Promise ? known.then((options) => withGraphs(options)) : withGraphs(known);
  }

  #trainer(made: MadeTrainer, around: Around = {}): Trainer {
    return new RemoteTrainer(this.#connection, made, around);
  }
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

class RemoteTrainer extends Remote implements Trainer {
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

class RemoteModel extends Remote implements Model {
  readonly dimension: number;
  readonly columns: readonly string[] | undefined;
  readonly shape: readonly number[];
  readonly conditions: Model["conditions"];
  readonly #step: () => number;
  readonly #onStanding: (standing: Standing) => void;
  readonly #around: Around;

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
    const { times, noise, ...options }: SampleOptions = given;
    return this.ask("sample", {
      ...options,
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
    ask: "sample" | "logDensity" | "encode" | "velocity" | "evaluateLosses",
    given: Pick<SolveOptions, "signal" | "onProgress">,
    more: { readonly points?: FloatArray; readonly times?: FloatArray } = {},
  ): Promise<Answer> {
    this.check();
    const { options: plain, signal, onProgress } = parted(given);
    const options = withGraphs(plain, this.#around) as typeof plain; // no question to a model has a network
    const question = { ask, model: this.number, options, progress: onProgress !== undefined, ...more } as never;
    const transfer = Object.values(more).map(({ buffer }) => buffer as ArrayBuffer); // copies of our own
    return this.connection.ask(question, { signal, onProgress, transfer });
  }
}
