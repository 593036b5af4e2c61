/** A page's line to the engine in its worker: questions and answers, aborts, and what happens when the worker dies. */
import { onDemand } from "../../backends/on-demand.ts";
import { ConfigError, DeviceLostError, DisposedError, rebuildError } from "../../errors.ts";
import { signalOption } from "../../graph/options.ts";
import { disposed } from "../disposed.ts";
import type { FromEngine, Question, RuntimeFacts, SentError, Standing, ToEngine } from "./messages.ts";
import type { Streams } from "./streams.ts";

interface Waiting {
  answer(message: { readonly value: unknown; readonly standing?: Standing }): void;
  fail(error: unknown): void;
  readonly signal: AbortSignal | undefined;
  readonly onStanding: ((standing: Standing) => void) | undefined;
  readonly onProgress: ((done: number, total: number) => void) | undefined;
}

/** What is used of a Worker. */
export type EngineWorker = Pick<Worker, "postMessage" | "terminate" | "onmessage" | "onerror">;

export interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  /** What is moved there, not copied: of no more use here. */
  readonly transfer?: readonly Transferable[];
  /** Told where the trainer that was asked stands, whether the answer is good or bad. */
  readonly onStanding?: (standing: Standing) => void;
  /** Told how far a solve is. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export class Connection {
  readonly #worker: EngineWorker;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #closed: (() => Error) | undefined;
  /** What the engine asks of the page's streams, where there are some. */
  #streams: Streams | undefined;
  /** Told what the runtime has become. */
  onRuntime: (facts: RuntimeFacts) => void = () => {};

  /** @param worker - one that has said "loaded". */
  constructor(worker: EngineWorker) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<FromEngine>) => this.#receive(data);
    worker.onerror = ({ message }) => this.#close(() => died(message));
  }

  /** Whether `close` was called. A worker that died is still there to be asked, and says so. */
  get closed(): boolean {
    return this.#closed?.() instanceof DisposedError;
  }

  /**
   * The engine's answer. Errors are of the class they had there; an abort rejects with the signal's reason.
   *
   * @throws {@link ConfigError} when something in the question cannot be sent, such as a function.
   */
  async ask<Answer>(
    question: Question,
    { signal, onStanding, onProgress, transfer = [] }: AskOptions = {},
  ): Promise<Answer> {
    if (this.#closed) throw this.#closed();
    signalOption(signal);
    signal?.throwIfAborted();
    const id = ++this.#asked;
    const abort = () => this.#send({ kind: "abort", id });
    try {
      return await new Promise<Answer>((resolve, reject) => {
        this.#waiting.set(id, {
          answer: ({ value }) => resolve(value as Answer),
          fail: reject,
          signal,
          onStanding,
          onProgress,
        });
        this.#send({ kind: "ask", id, question }, transfer);
        signal?.addEventListener("abort", abort, { once: true });
      });
    } catch (error) {
      throw error instanceof DOMException && error.name === "DataCloneError" ? notSendable(question, error) : error;
    } finally {
      this.#waiting.delete(id);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Those of the page that the engine may take rows from. */
  async streams(): Promise<Streams> {
    const { Streams } = await onDemand(import("./streams.ts"));
    this.#streams ??= new Streams();
    return this.#streams;
  }

  /** Frees a trainer, model or run there. */
  dispose(number: number): void {
    if (!this.#closed) this.#send({ kind: "dispose", number });
  }

  /** Ends the worker and all it holds. Whoever waits gets a DisposedError. */
  close(): void {
    this.#worker.terminate();
    this.#close(() => disposed("the runtime"));
  }

  #send(message: ToEngine, transfer: readonly Transferable[] = []): void {
    this.#worker.postMessage(message, [...transfer]);
  }

  #receive(message: FromEngine): void {
    if (message.kind === "loaded") return;
    if (message.kind === "pull" || message.kind === "leave") {
      this.#streams?.receive(message, (id, pulled) => this.#send({ kind: "pulled", id, pulled }));
      return;
    }
    if (message.kind !== "progress" && message.runtime) this.onRuntime(message.runtime);
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    if (message.kind === "progress") {
      try {
        waiting.onProgress?.(message.done, message.total);
      } catch (error) {
        waiting.fail(error); // as where there is no worker: an error of the caller's own function ends the call
        this.#send({ kind: "abort", id: message.id });
      }
      return;
    }
    if (message.standing) waiting.onStanding?.(message.standing);
    if (message.kind === "answer") waiting.answer(message);
    else waiting.fail(received(message.error, waiting.signal, this.#streams));
  }

  #close(reason: () => Error): void {
    this.#closed ??= reason;
    this.#streams?.close();
    for (const waiting of this.#waiting.values()) waiting.fail(this.#closed());
  }
}

function received(error: SentError, signal: AbortSignal | undefined, streams: Streams | undefined): unknown {
  switch (error.kind) {
    case "stream":
      return streams?.failure(error.failure);
    case "aborted":
      return signal?.reason;
    case "divflow":
      return rebuildError(error.code, error.facts);
    case "other":
      return Object.assign(new Error(error.message), { name: error.name });
  }
}

function notSendable({ ask }: Question, cause: Error): ConfigError {
  return new ConfigError(
    {
      subject: `what ${ask} was given`,
      given: cause.message,
      expected: "plain values",
      remedy: "Leave functions out.",
    },
    { cause },
  );
}

function died(message: string): DeviceLostError {
  return new DeviceLostError({
    subject: "the engine's worker",
    given: message || "an error it could not tell",
    expected: "a worker that stays",
    remedy: "Make another runtime and resume from a checkpoint.",
  });
}
