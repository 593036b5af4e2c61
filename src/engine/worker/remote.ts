/** The runtime on a page whose engine runs in a worker: each call is a question to it. */
import { onDemand } from "../../backends/on-demand.ts";
import { expectDrawable } from "../../data/drawable.ts";
import { copiedBytes } from "../../data/numbers.ts";
import { ConfigError } from "../../errors.ts";
import { isRecord } from "../../graph/options.ts";
import type { Network } from "../../nn/network.ts";
import type {
  BackendName,
  CaseErrors,
  DeviceMemory,
  EvaluateLossesOptions,
  LoadOptions,
  LossMeans,
  Model,
  ResumeOptions,
  Runtime,
  Trainer,
  TrainerOptions,
} from "../api.ts";
import { dispose, disposed } from "../disposed.ts";
import { type InitialBytes, initialBytes } from "../initial.ts";
import type { Connection } from "./connection.ts";
import type { MadeModel, MadeTrainer, RuntimeFacts } from "./messages.ts";
import { ownFile } from "./own-file.ts";
import { toPlain, withGraphs, withStreams } from "./plain.ts";
import { type Around, parted, RemoteModel, RemoteTrainer } from "./remote-trainer.ts";
import { withNetworkOf } from "./sent-network.ts";

/** A file of weights alone, of a network that the worker has no code for, as divflow writes it. */
async function sentInitial({ bytes, choice }: InitialBytes, network: Network | undefined) {
  const given = await bytes;
  const own = network && ownFile(given, { network });
  return { from: own ? (await own).bytes : given, ...choice };
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
    const whole = withStreams(made instanceof Promise ? await made : made, this.#connection);
    const ready = whole instanceof Promise ? await whole : whole;
    const sent = initial ? { ...ready, initial: await sentInitial(initial, network) } : ready;
    const question = { ask: "createTrainer", options: sent as never, progress: onProgress !== undefined } as const;
    return this.#trainer(await this.#connection.ask(question, { signal, onProgress }), around);
  }

  async resumeTrainer(given: Uint8Array | ArrayBuffer, options: ResumeOptions = {}): Promise<Trainer> {
    const bytes = copiedBytes("bytes of resume", given);
    const { options: plain, signal, onProgress } = parted(options);
    const made = this.#ofFile(bytes, plain);
    const whole = withStreams(made instanceof Promise ? await made : made, this.#connection);
    const sent = whole instanceof Promise ? await whole : whole;
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
    if (Object(options).data?.stream) expectDrawable("data of evaluateLosses", options.data);
    const ready = withStreams(options, this.#connection);
    return model.ask("evaluateLosses", ready instanceof Promise ? await ready : ready);
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
