/** The engine's side of the line: takes a page's questions, and holds what they make. */
import { DivflowError, type ErrorFacts } from "../../errors.ts";
import { isRecord } from "../../graph/options.ts";
import type { LoadOptions, Model, Progress, ResumeOptions, Trainer, TrainerOptions } from "../api.ts";
import { type BackendModules, chooseBackend } from "../choose-backend.ts";
import { disposed } from "../disposed.ts";
import type { LocalModel } from "../model.ts";
import { LocalRuntime } from "../runtime.ts";
import type { LocalTrainer } from "../trainer.ts";
import { runCase } from "../verify.ts";
import { fromPlain } from "./made.ts";
import type {
  FromEngine,
  MadeModel,
  MadeOf,
  MadeTrainer,
  Question,
  RuntimeFacts,
  SentError,
  Standing,
  ToEngine,
} from "./messages.ts";
import { Pulls, StreamFailure } from "./pulls.ts";

/** What a worker has for talking to its page. */
export interface Port {
  onmessage: ((event: MessageEvent<ToEngine>) => void) | null;
  postMessage(message: FromEngine, transfer?: Transferable[]): void;
}

/** Whatever arrays are in the answers to these were made for them: they are moved to the page, not copied. */
const resultsOfTheirOwn: readonly Question["ask"][] = [
  "sample",
  "logDensity",
  "encode",
  "velocity",
  "checkpoint",
  "more",
];

function buffersIn(value: unknown): Transferable[] {
  if (ArrayBuffer.isView(value)) return [value.buffer as ArrayBuffer];
  return isRecord(value) ? Object.values(value).flatMap(buffersIn) : [];
}

interface Run {
  readonly trainer: Trainer;
  readonly progress: AsyncGenerator<Progress, void, undefined>;
  /** Aborts the run, for as long as it goes on. */
  readonly abort: AbortController;
}

/** Answers what comes from `port`, for one runtime on one of the backends in `modules`. */
export function serve(port: Port, modules: BackendModules): void {
  const engine = new Engine(modules, (message) => port.postMessage(message));
  port.onmessage = async ({ data: message }) => {
    if (message.kind === "abort") engine.abort(message.id);
    if (message.kind === "dispose") engine.dispose(message.number);
    if (message.kind === "pulled") engine.pulls.pulled(message.id, message.pulled);
    if (message.kind !== "ask") return;
    const { id, question } = message;
    let reply: FromEngine;
    let transfer: Transferable[] = [];
    try {
      const value = await engine.answer(id, question);
      reply = { kind: "answer", id, value };
      if (resultsOfTheirOwn.includes(question.ask)) transfer = buffersIn(value);
    } catch (error) {
      reply = { kind: "failure", id, error: engine.sent(id, error) };
    }
    const standing = engine.standingOf(question);
    const runtime = engine.news();
    engine.finished(id);
    port.postMessage({ ...reply, ...(standing && { standing }), ...(runtime && { runtime }) }, transfer);
  };
  port.postMessage({ kind: "loaded" });
}

class Engine {
  readonly #modules: BackendModules;
  #runtime: LocalRuntime | undefined;
  #told: RuntimeFacts | undefined;
  #last = 0;
  readonly #trainers = new Map<number, LocalTrainer>();
  readonly #models = new Map<number, LocalModel>();
  readonly #runs = new Map<number, Run>();
  /** By the number of the question that can be aborted. */
  readonly #aborts = new Map<number, AbortController>();
  readonly #send: (message: FromEngine) => void;
  readonly pulls: Pulls;

  constructor(modules: BackendModules, send: (message: FromEngine) => void) {
    this.#modules = modules;
    this.#send = send;
    this.pulls = new Pulls(send);
  }

  async answer(id: number, question: Question): Promise<unknown> {
    switch (question.ask) {
      case "createRuntime": {
        const { options, noGPU, noWasm } = question;
        const runtime = new LocalRuntime(await chooseBackend(options, { modules: this.#modules, noGPU, noWasm }));
        this.#runtime = runtime;
        return this.news();
      }
      case "memory":
        return this.#needed().memory();
      case "runCase":
        return runCase(this.#needed(), question);
      case "createTrainer":
        return this.#keepTrainer(
          await this.#needed().createTrainer(
            await this.#abortable<TrainerOptions>(id, question.options, question.progress),
          ),
        );
      case "resumeTrainer":
        return this.#keepTrainer(
          await this.#needed().resumeTrainer(
            question.bytes,
            await this.#abortable<ResumeOptions>(id, question.options, question.progress),
          ),
        );
      case "loadModel":
        return this.#keepModel(
          await this.#needed().loadModel(question.bytes, await fromPlain<LoadOptions>(question.options, this.pulls)),
        );
      case "madeOf": {
        const { network, path } = this.#model(question.model);
        const made: MadeOf = {
          network: { kind: network.kind, config: network.config },
          path: { name: path.name, options: path.options },
        };
        return made;
      }
      case "evaluateLosses":
        return this.#needed().evaluateLosses(this.#model(question.model), await this.#abortable(id, question.options));
      case "sample":
        return this.#model(question.model).sample(await this.#abortable(id, question.options, question.progress));
      case "logDensity":
        return this.#model(question.model).logDensity(
          question.points,
          await this.#abortable(id, question.options, question.progress),
        );
      case "encode":
        return this.#model(question.model).encode(
          question.points,
          await this.#abortable(id, question.options, question.progress),
        );
      case "more":
        return this.#model(question.model).more(
          question.points,
          await this.#abortable(id, question.options, question.progress),
        );
      case "velocity":
        return this.#model(question.model).velocity(
          question.points,
          question.times,
          await this.#abortable(id, question.options),
        );
      case "checkpoint":
        return (this.#trainers.get(question.of) ?? this.#model(question.of)).checkpoint();
      case "describe":
        return this.#trainer(question.trainer).describe();
      case "run": {
        const trainer = this.#trainer(question.trainer);
        const abort = new AbortController();
        const progress = trainer.run({ ...question.options, signal: abort.signal });
        const number = ++this.#last;
        this.#runs.set(number, { trainer, progress, abort });
        return number;
      }
      case "next": {
        const { progress, abort } = this.#run(question.run);
        this.#aborts.set(id, abort);
        return progress.next();
      }
      case "leave": {
        const run = this.#runs.get(question.run);
        this.#runs.delete(question.run);
        await run?.progress.return();
        return undefined;
      }
    }
  }

  /** Where the trainer that a question is about stands after it. */
  standingOf(question: Question): Standing | undefined {
    switch (question.ask) {
      case "next":
        return standing(this.#runs.get(question.run)?.trainer);
      case "checkpoint":
        return standing(this.#trainers.get(question.of) ?? this.#trainerOf(this.#models.get(question.of)));
      default:
        return undefined;
    }
  }

  /** What the runtime is, where the page does not know: a lost GPU may be followed by something else. */
  news(): RuntimeFacts | undefined {
    if (!this.#runtime) return undefined;
    const { backend, device, reason } = this.#runtime;
    const facts = { backend, device, reason };
    if (JSON.stringify(facts) === JSON.stringify(this.#told)) return undefined;
    this.#told = facts;
    return facts;
  }

  abort(id: number): void {
    this.#aborts.get(id)?.abort();
  }

  finished(id: number): void {
    this.#aborts.delete(id);
  }

  dispose(number: number): void {
    for (const [run, { trainer }] of this.#runs) {
      if (trainer === this.#trainers.get(number)) this.#runs.delete(run); // one that nobody goes on with or leaves
    }
    for (const kept of [this.#trainers, this.#models]) {
      kept.get(number)?.dispose();
      kept.delete(number);
    }
  }

  /** What the page gets to know of an error that question `id` met. */
  sent(id: number, error: unknown): SentError {
    const signal = this.#aborts.get(id)?.signal;
    if (signal?.aborted && error === signal.reason) return { kind: "aborted" };
    if (error instanceof StreamFailure) return { kind: "stream", failure: error.failure };
    if (error instanceof DivflowError) return { kind: "divflow", code: error.code, facts: sendable(error.facts) };
    const { name, message } = error instanceof Error ? error : { name: "Error", message: String(error) };
    return { kind: "other", name, message };
  }

  #keepTrainer(trainer: LocalTrainer): MadeTrainer {
    const number = ++this.#last;
    this.#trainers.set(number, trainer);
    const { trainingRows, heldOutRows, warnings } = trainer;
    return {
      ...{ number, trainingRows, heldOutRows, warnings },
      standing: standing(trainer) as Standing,
      model: this.#keepModel(trainer.model),
    };
  }

  #keepModel(model: LocalModel): MadeModel {
    const number = ++this.#last;
    this.#models.set(number, model);
    const { dimension, step, columns, shape, conditions } = model;
    return { number, dimension, step, columns, shape, conditions };
  }

  /** Options with parts made, a signal that an abort of this question aborts and, if asked for, a way to tell progress. */
  async #abortable<Options extends object>(
    id: number,
    plain: object,
    progress = false,
  ): Promise<Options & { readonly signal: AbortSignal }> {
    if (!isRecord(plain)) return plain as never; // the call refuses it
    const controller = new AbortController();
    this.#aborts.set(id, controller); // before anything is waited for
    const onProgress = (done: number, total: number) => this.#send({ kind: "progress", id, done, total });
    return {
      ...(await fromPlain<Options>(plain, this.pulls)),
      signal: controller.signal,
      ...(progress ? { onProgress } : {}),
    };
  }

  #needed(): LocalRuntime {
    if (!this.#runtime) throw disposed("the runtime");
    return this.#runtime;
  }

  #trainer(number: number): Trainer {
    const trainer = this.#trainers.get(number);
    if (!trainer) throw disposed("the trainer");
    return trainer;
  }

  #trainerOf(model: Model | undefined): Trainer | undefined {
    return [...this.#trainers.values()].find((trainer) => trainer.model === model);
  }

  #model(number: number): LocalModel {
    const model = this.#models.get(number);
    if (!model) throw disposed("the model");
    return model;
  }

  #run(number: number): Run {
    const run = this.#runs.get(number);
    if (!run) throw disposed("the run");
    return run;
  }
}

function standing(trainer: Trainer | undefined): Standing | undefined {
  return trainer && { step: trainer.step, best: trainer.best, stopped: trainer.stopped };
}

/** Facts that a message can hold: a value that cannot be copied is told as text. */
function sendable(facts: ErrorFacts): ErrorFacts {
  try {
    return structuredClone(facts);
  } catch {
    return { ...facts, given: String(facts.given) };
  }
}
