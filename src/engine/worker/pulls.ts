/** Streams of rows in the worker: the page has them, and is asked for what comes next. streams.ts has the other side. */

import type { DataSource, StreamStart } from "../../data/source.ts";
import { type StreamedPoints, streamSource } from "../../data/stream-source.ts";
import type { FromEngine, PlainStream, Pulled } from "./messages.ts";

/** What a stream on the page has thrown: known there by number. */
export class StreamFailure extends Error {
  readonly failure: number;

  constructor(failure: number) {
    super("a stream of the page has failed");
    this.failure = failure;
  }
}

export class Pulls {
  readonly #send: (message: FromEngine) => void;
  readonly #waiting = new Map<number, (pulled: Pulled) => void>();
  #asked = 0;
  #iterators = 0;

  constructor(send: (message: FromEngine) => void) {
    this.#send = send;
  }

  /** The source of a stream that the page has sent. */
  source({ options, standardization, stream, isOwn }: PlainStream): DataSource {
    const points = { ...options, ...(standardization ? { standardization } : {}) } as unknown as StreamedPoints;
    return streamSource(points, { from: (start) => this.from(stream, start), isOwn });
  }

  /** The page's answer. */
  pulled(id: number, pulled: Pulled): void {
    this.#waiting.get(id)?.(pulled);
    this.#waiting.delete(id);
  }

  /** What a stream of the page gives from there on; it is given what `next` is. */
  from(stream: number, start: StreamStart): AsyncIterable<unknown> {
    return {
      [Symbol.asyncIterator]: () => {
        const iterator = ++this.#iterators;
        return {
          next: async (given?: unknown) => {
            const id = ++this.#asked;
            const pulled = await new Promise<Pulled>((resolve) => {
              this.#waiting.set(id, resolve);
              this.#send({ kind: "pull", id, iterator, stream, start, given });
            });
            if ("failure" in pulled) throw new StreamFailure(pulled.failure);
            return pulled;
          },
          return: async () => {
            this.#send({ kind: "leave", iterator });
            return { done: true, value: undefined };
          },
        };
      },
    };
  }
}
