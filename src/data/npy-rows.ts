/** Rows of .npy files larger than memory, read in blocks as they are wanted, in an order drawn by seed. */
import { ConfigError, DataError } from "../errors.ts";
import { sizeOf } from "../graph/node.ts";
import { integerOption, isRecord, optionsObject } from "../graph/options.ts";
import { streamOf } from "../ops/streams.ts";
import { HostRandom } from "../ops/threefry.ts";
import { arrayFor, bytesOf, decode, type Header, NPY_START, readNpyHeader } from "./npy.ts";
import type { RandomAccess } from "./unzip.ts";

export interface NpyRowsOptions {
  /** Files with what is told of each row, by name, each of as many rows. */
  readonly conditions?: Readonly<Record<string, Blob | RandomAccess>>;
  /** Of the order; an integer from 0 to 2^53 - 1. Default 0. */
  readonly seed?: number;
  /** Rows read at once; default: 4,096, or as many as 16 MiB hold. */
  readonly block?: number;
  /** The file's name, for messages. */
  readonly source?: string;
}

export interface NpyRows {
  readonly count: number;
  /** Of a row. */
  readonly shape: readonly number[];
  /** Of a row of each of the conditions. */
  readonly conditions: Readonly<Record<string, { readonly shape: readonly number[] }>>;
  /** From row `rows` of all epochs to the end of its epoch, a block at a time: what `streamData` takes. */
  batches(start: { readonly rows: number }): AsyncGenerator<RowBlock, void, undefined>;
}

export interface RowBlock {
  readonly values: Float32Array | Float64Array;
  readonly conditions?: Readonly<Record<string, Float32Array | Float64Array>>;
}

/** Bytes and rows read at once where nobody says. */
const [BLOCK_BYTES, BLOCK_ROWS] = [1 << 24, 4096];

/**
 * A .npy file of which only some rows are in memory at a time. Each epoch takes every row once: blocks in an order of its
 * own, and the rows of each in one, both drawn by seed, so that a place in it can be gone on from.
 *
 * @param file - in a page a File or another Blob; in Node `await openAsBlob(path)`, or what reads parts of a file.
 * @throws {@link DataError} when it is no such file, lies in Fortran order, or a file of conditions has other rows.
 * @example
 * const rows = await npyRows(await openAsBlob("images.npy"), { seed: 1 });
 * const data = streamData({ shape: rows.shape, batches: rows.batches });
 */
export async function npyRows(file: Blob | RandomAccess, options: NpyRowsOptions = {}): Promise<NpyRows> {
  optionsObject("options of npyRows", options, ["conditions", "seed", "block", "source"]);
  const { conditions = {}, seed = 0, source = "npy file" } = options;
  integerOption("seed of npyRows", seed, 0);
  const points = await RowFile.open(file, source);
  const block = integerOption(
    "block of npyRows",
    options.block ?? Math.max(1, Math.min(BLOCK_ROWS, Math.floor(BLOCK_BYTES / points.bytes))),
  );
  const told = new Map<string, RowFile>();
  for (const [name, one] of Object.entries(conditions)) {
    const opened = await RowFile.open(one, `condition "${name}" of ${source}`);
    told.set(name, opened);
    if (opened.count === points.count) continue;
    throw new DataError({
      subject: opened.source,
      given: `${opened.count} rows`,
      expected: `${points.count}, one for each point`,
      remedy: "Give files of the same rows in the same order.",
    });
  }
  const { count } = points;
  const blocks = Math.ceil(count / block);
  const random = new HostRandom(seed);
  const [ofBlocks, ofRows] = [0, 1].map((which) => streamOf("order", which)) as [number, number];
  return {
    count,
    shape: points.shape,
    conditions: Object.fromEntries([...told].map(([name, { shape }]) => [name, { shape }])),
    async *batches({ rows }) {
      const epoch = Math.floor(rows / count);
      let skipped = rows % count;
      const order = shuffled(blocks, random.uniform(2 * blocks, ofBlocks, epoch));
      for (const number of order) {
        const from = number * block;
        const size = Math.min(block, count - from);
        if (skipped >= size) {
          skipped -= size;
          continue;
        }
        const within = shuffled(size, random.uniform(2 * size, ofRows, epoch * blocks + number)).slice(skipped);
        skipped = 0;
        const values = await points.rows(from, size, within);
        const known = await Promise.all(
          [...told].map(async ([name, one]) => [name, await one.rows(from, size, within)] as const),
        );
        yield told.size > 0 ? { values, conditions: Object.fromEntries(known) } : { values };
      }
    },
  };
}

/** A file whose header has been read. */
class RowFile {
  readonly source: string;
  readonly count: number;
  readonly shape: readonly number[];
  /** Of a row. */
  readonly bytes: number;
  readonly #file: RandomAccess;
  readonly #header: Header;
  readonly #from: number;

  private constructor(source: string, file: RandomAccess, header: Header, from: number) {
    const [count = 0, ...shape] = header.shape;
    this.source = source;
    this.count = count;
    this.shape = shape;
    this.bytes = sizeOf(shape) * bytesOf(header.kind);
    this.#file = file;
    this.#header = header;
    this.#from = from;
  }

  static async open(given: unknown, source: string): Promise<RowFile> {
    const file = accessOf(given, source);
    const start = await file.read(0, Math.min(file.size, NPY_START));
    const { header, from } = readNpyHeader(start, file.size, source);
    const { shape, fortranOrder } = header;
    if (shape.length > 0 && sizeOf(shape) > 0 && !(fortranOrder && shape.length > 1)) {
      return new RowFile(source, file, header, from);
    }
    throw new DataError({
      subject: source,
      given: `${fortranOrder ? "Fortran order, " : ""}shape (${shape.join(", ")})`,
      expected: "rows that lie one after the other, one at least",
      remedy: "Write it again: numpy.save(path, numpy.ascontiguousarray(array)).",
    });
  }

  /** Rows of a block, in this order. */
  async rows(from: number, size: number, within: Uint32Array): Promise<Float32Array | Float64Array> {
    const width = sizeOf(this.shape);
    const kind = arrayFor(this.#header.kind);
    const read = new kind(size * width);
    decode(await this.#file.read(this.#from + from * this.bytes, size * this.bytes), this.#header, read);
    const values = new kind(within.length * width);
    within.forEach((row, i) => {
      values.set(read.subarray(row * width, (row + 1) * width), i * width);
    });
    return values;
  }
}

function accessOf(given: unknown, source: string): RandomAccess {
  if (typeof Blob !== "undefined" && given instanceof Blob) {
    return {
      size: given.size,
      read: async (from, length) => new Uint8Array(await given.slice(from, from + length).arrayBuffer()),
    };
  }
  if (isRecord(given) && typeof given["read"] === "function" && typeof given["size"] === "number") {
    return given as unknown as RandomAccess;
  }
  throw new ConfigError({
    subject: source,
    given: given ?? String(given),
    expected: "a Blob, or { size, read(offset, length) }",
    remedy: "In Node: await openAsBlob(path), of node:fs.",
  });
}

/** The numbers below `count` in an order that `random`, twice as many uniform numbers, gives. */
function shuffled(count: number, random: Float32Array): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let place = 0; place < count - 1; place++) {
    // Two numbers of 24 bits, as where rows are split: one would not reach all places.
    const share = (random[2 * place] as number) + (random[2 * place + 1] as number) * 2 ** -24;
    const other = place + Math.floor(share * (count - place));
    [order[place], order[other]] = [order[other] as number, order[place] as number];
  }
  return order;
}
