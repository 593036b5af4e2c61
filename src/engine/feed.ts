/** Rows that come in any number, made into batches and kept until the steps that need them are done. */

import { copiedNumbers } from "../data/numbers.ts";
import { checkPoints } from "../data/points.ts";
import { rowConditions } from "../data/row-conditions.ts";
import type { DataSource, DataStream, HostBatch } from "../data/source.ts";
import { type Standardization, standardize } from "../data/standardize.ts";
import { DataError } from "../errors.ts";
import { type Shape, sizeOf } from "../graph/node.ts";
import { isRecord } from "../graph/options.ts";

/** Rows that came, of which some are in batches already. */
interface Came {
  readonly rows: Rows;
  readonly count: number;
  from: number;
}

type Values = Float32Array | Uint32Array;
/** By state name, in model units: of a batch, or of however many rows came. */
type Rows = HostBatch;

/** What there is for the next steps. */
export interface Filling {
  /** Steps that it is for. */
  readonly count: number;
  /** Contents of states, by name. */
  readonly states: Rows;
}

export class Feed {
  /** Steps that can run between two fillings. */
  readonly slots: number;
  readonly #stream: DataStream;
  readonly #data: DataSource;
  /** Of a batch. */
  readonly #batchSize: number;
  /** Numbers of a row, by state name. */
  readonly #widths: ReadonlyMap<string, number>;
  #iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined;
  /** Rows that came since the iterator was made, and in all. */
  #ofIterator = 0;
  #came: number;
  /** What came and is in no batch yet. */
  #rest: Came | undefined;
  /** The batch that is being filled: an error takes nothing of it along. */
  #open: { readonly batch: Map<string, Values>; filled: number } = { batch: new Map(), filled: 0 };
  /** Batches that no step has taken. */
  readonly #batches: Rows[] = [];
  #fetching: Promise<void> | undefined;
  #failure: { readonly reason: unknown } | undefined;
  /** Aborted when it is closed. */
  readonly #closing = new AbortController();

  /** @param step - steps done: the next one's batch is the first. */
  constructor(data: DataSource & { readonly stream: DataStream }, batchSize: number, step: number) {
    const { stream, dimension, conditions = {} } = data;
    this.slots = stream.slots(batchSize);
    this.#stream = stream;
    this.#data = data;
    this.#batchSize = batchSize;
    this.#came = step * batchSize;
    this.#widths = new Map([
      [stream.points, dimension],
      ...(stream.pairs ? [[stream.pairs.start, dimension] as const] : []),
      ...Object.entries(conditions).map(([name, { shape }]) => [stream.condition(name), sizeOf(shape)] as const),
    ]);
  }

  /**
   * What the states are to hold for the next steps: one at least, `most` at most, as many as there are batches of. The same
   * again until they are used.
   *
   * @throws what the stream throws, {@link DataError} when something is wrong with its rows, or the signal's reason.
   */
  async fill(most: number, signal: AbortSignal | undefined): Promise<Filling> {
    while (this.#batches.length === 0) {
      if (this.#failure) {
        const { reason } = this.#failure;
        this.#failure = undefined; // a run that goes on asks again
        throw reason;
      }
      await unlessAborted(unlessAborted(this.#fetch(), signal), this.#closing.signal);
    }
    const count = Math.min(most, this.#batches.length);
    const filled = new Map<string, Values>();
    for (const [name, width] of this.#widths) {
      const each = this.#batchSize * width;
      const batches = this.#batches.slice(0, count).map((batch) => batch.get(name) as Values);
      const isWhole = batches[0] instanceof Uint32Array;
      const values = isWhole ? new Uint32Array(count * each) : new Float32Array(count * each);
      for (const [i, batch] of batches.entries()) values.set(batch, i * each);
      filled.set(name, values);
    }
    filled.set(this.#stream.slot, Uint32Array.of(0));
    return { count, states: filled };
  }

  /** So many steps are done. */
  used(count: number): void {
    this.#batches.splice(0, count);
  }

  /** Fetches what comes next while steps run. */
  ahead(): void {
    const { ahead = 2 * this.slots } = this.#stream.pairs ?? {};
    if (this.#batches.length < ahead && !this.#closing.signal.aborted && !this.#failure) {
      this.#fetch().then(
        () => this.ahead(),
        () => {},
      );
    }
  }

  close(): void {
    this.#closing.abort(new RangeError("a feed that is closed"));
    if (this.#stream.isOwn) this.#leave();
  }

  #leave(): void {
    const iterator = this.#iterator;
    this.#iterator = undefined;
    Promise.resolve(iterator?.return?.()).catch(() => {}); // nobody waits for what it does at its end
  }

  /** One batch more, or why there is none; one at a time. */
  #fetch(): Promise<void> {
    this.#fetching ??= this.#batch()
      .then(
        (batch) => {
          this.#batches.push(batch);
        },
        (reason) => {
          this.#failure = { reason };
          if (this.#stream.isOwn) this.#leave(); // the next one asks from the row on that was wrong
        },
      )
      .finally(() => {
        this.#fetching = undefined;
      });
    return this.#fetching;
  }

  async #batch(): Promise<Rows> {
    const { pairs } = this.#stream;
    if (pairs) {
      this.#iterator ??= pairs.from({ step: this.#came / this.#batchSize, rows: this.#came })[Symbol.asyncIterator]();
      const { value } = await this.#iterator.next(); // they have no end
      this.#came += this.#batchSize;
      return value as HostBatch;
    }
    const rows = this.#batchSize;
    const open = this.#open;
    const { batch } = open;
    while (open.filled < rows) {
      const came: Came = this.#rest ?? (await this.#next());
      this.#rest = came;
      const { rows: there, count, from } = came;
      const taken = Math.min(count - from, rows - open.filled);
      for (const [name, width] of this.#widths) {
        const source = there.get(name) as Values;
        let values = batch.get(name);
        if (!values) {
          values = source instanceof Uint32Array ? new Uint32Array(rows * width) : new Float32Array(rows * width);
          batch.set(name, values);
        }
        values.set(source.subarray(from * width, (from + taken) * width), open.filled * width);
      }
      open.filled += taken;
      came.from += taken;
      if (came.from === count) this.#rest = undefined;
    }
    this.#open = { batch: new Map(), filled: 0 };
    return batch;
  }

  /** The next rows that come; at the end of the stream those of its next beginning. */
  async #next(): Promise<Came> {
    for (;;) {
      this.#closing.signal.throwIfAborted();
      if (!this.#iterator) {
        const stream = this.#stream.from({ step: Math.floor(this.#came / this.#batchSize), rows: this.#came });
        const begin =
          (stream as AsyncIterable<unknown>)[Symbol.asyncIterator] ?? (stream as Iterable<unknown>)[Symbol.iterator];
        this.#iterator = begin.call(stream) as AsyncIterator<unknown>;
        this.#ofIterator = 0;
      }
      const { done, value } = await this.#iterator.next();
      if (!done) {
        const came = this.#read(value);
        this.#came += came.count;
        this.#ofIterator += came.count;
        if (came.count > 0) return { ...came, from: 0 };
        continue;
      }
      this.#iterator = undefined;
      if (this.#ofIterator > 0) continue;
      throw new DataError({
        subject: "rows of streamData",
        given: `none after ${this.#came}`,
        expected: "more, for as long as training goes on",
        remedy: "Give a function that begins anew each time, or train fewer steps.",
      });
    }
  }

  /** Rows as they were given, checked, in model units. */
  #read(given: unknown): { readonly rows: Rows; readonly count: number } {
    const { dimension, standardization, conditions = {} } = this.#data;
    const subject = `rows of streamData from ${this.#came} on`;
    const isWhole = isRecord(given) && !ArrayBuffer.isView(given) && !Array.isArray(given);
    const { values: points, conditions: told = {} } = (isWhole ? given : { values: given }) as {
      readonly values: unknown;
      readonly conditions?: Readonly<Record<string, unknown>>;
    };
    const values = copiedNumbers(subject, points, dimension);
    if (values.length % dimension !== 0) {
      throw new DataError({
        subject,
        given: `${values.length} numbers`,
        expected: `a multiple of ${dimension}, the dimension of a point`,
        remedy: "Give whole points, row-major.",
      });
    }
    const count = values.length / dimension;
    if (count === 0) return { rows: new Map(), count };
    checkPoints(values, [count, dimension], subject);
    const rows = new Map<string, Values>([[this.#stream.points, inModelUnits(values, standardization)]]);
    const missing = Object.keys(conditions).find((name) => told[name] === undefined);
    const unknown = Object.keys(told).find((name) => !conditions[name]);
    if (missing !== undefined || unknown !== undefined) {
      throw new DataError({
        subject: `conditions of ${subject}`,
        given: Object.keys(told).join(", ") || "none",
        expected: Object.keys(conditions).join(", ") || "none",
        remedy: "Tell of each row what streamData's conditions declare.",
      });
    }
    const declared = Object.entries(conditions).map(([name, { shape, classes, names }]) => {
      const one = told[name];
      const own = isRecord(one) && !ArrayBuffer.isView(one) && !Array.isArray(one) ? one["values"] : one;
      const kind =
        classes === undefined ? { shape: [count, ...shape] as Shape } : { classes, ...(names ? { names } : {}) };
      return [name, { values: own, ...kind }] as const;
    });
    for (const [name, { values }] of Object.entries(rowConditions(Object.fromEntries(declared), count, subject))) {
      rows.set(this.#stream.condition(name), inModelUnits(values, conditions[name]?.standardization));
    }
    return { rows, count };
  }
}

function inModelUnits(values: Float32Array | Float64Array | Uint32Array, units: Standardization | undefined): Values {
  if (values instanceof Uint32Array) return values;
  return Float32Array.from(units ? standardize(values, units) : values);
}

/** What comes, unless the signal is aborted before: a stream may never give what is waited for. */
function unlessAborted(coming: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return coming;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    coming.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
