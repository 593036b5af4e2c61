/** Streams of rows that stay on the page: the engine in its worker asks for what comes next. Imported on demand. */
import type { DataSource, DataStream, StreamStart } from "../../data/source.ts";
import { DataError } from "../../errors.ts";
import type { FromEngine, PlainStream, Pulled } from "./messages.ts";

type Rows = AsyncIterator<unknown> | Iterator<unknown>;
type Pull = Extract<FromEngine, { readonly kind: "pull" }>;
type Leave = Extract<FromEngine, { readonly kind: "leave" }>;
/** Throws where it cannot be sent. */
type Send = (id: number, pulled: Pulled) => void;

export class Streams {
  readonly #streams: DataStream[] = [];
  /** Those that the worker takes rows from, by its numbers. */
  readonly #iterators = new Map<number, { readonly rows: Rows; readonly isOwn: boolean }>();
  /** What streams have thrown and no call yet. */
  readonly #failures = new Map<number, unknown>();
  #failed = 0;

  /** The source as it is sent. */
  plain({ name, options, standardization, stream }: DataSource & { readonly stream: DataStream }): PlainStream {
    const known = this.#streams.indexOf(stream);
    const number = known < 0 ? this.#streams.push(stream) - 1 : known;
    return { name, options, ...(standardization ? { standardization } : {}), stream: number, isOwn: stream.isOwn };
  }

  /** Sends what comes next, or ends an iterator: nobody waits for what it does then. */
  receive(message: Pull | Leave, send: Send): void {
    if (message.kind === "pull") void this.#pull(message, send);
    else this.#leave(message.iterator);
  }

  async #pull({ id, iterator, stream, start, given }: Pull, send: Send): Promise<void> {
    try {
      const { done, value } = await this.#iterator(iterator, stream, start).next(given as undefined);
      if (done) this.#iterators.delete(iterator);
      send(id, done ? { done, value: undefined } : { done: false, value });
    } catch (error) {
      const failure = ++this.#failed;
      this.#failures.set(
        failure,
        error instanceof DOMException && error.name === "DataCloneError" ? noRows(error) : error,
      );
      send(id, { failure });
    }
  }

  /** What a stream has thrown, for whoever gets to know of it. */
  failure(number: number): unknown {
    const failure = this.#failures.get(number);
    this.#failures.delete(number);
    return failure;
  }

  /** The worker has ended: what was made for it is wanted no more. */
  close(): void {
    for (const [number, { isOwn }] of this.#iterators) {
      if (isOwn) this.#leave(number);
    }
  }

  #leave(number: number): void {
    const iterator = this.#iterators.get(number);
    this.#iterators.delete(number);
    Promise.resolve(iterator?.rows.return?.()).catch(() => {});
  }

  #iterator(number: number, stream: number, start: StreamStart): Rows {
    const known = this.#iterators.get(number);
    if (known) return known.rows;
    const source = this.#streams[stream] as DataStream;
    const rows = source.from(start);
    const begin =
      (rows as AsyncIterable<unknown>)[Symbol.asyncIterator] ?? (rows as Iterable<unknown>)[Symbol.iterator];
    const iterator = begin.call(rows) as Rows;
    this.#iterators.set(number, { rows: iterator, isOwn: source.isOwn });
    return iterator;
  }
}

function noRows(cause: Error): DataError {
  const facts = {
    given: cause.message,
    expected: "numbers",
    remedy: "Give rows as numbers, and what is told of each.",
  };
  return new DataError({ subject: "rows of streamData for an engine in a worker", ...facts }, { cause });
}
