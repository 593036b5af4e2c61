/** A file that is read in pieces, so that it may be larger than a string or a buffer of Node. */
import { open } from "node:fs/promises";
import { DataError, type RandomAccess } from "../data.ts";
import { reasonOf } from "./files.ts";

/** Bytes read at once. */
const PIECE = 1 << 22;

export interface FilePieces {
  /** The first bytes, by which kinds of files are told; what follows begins with them again. */
  start(): Promise<Uint8Array>;
  /** All bytes, once. */
  pieces(): AsyncIterable<Uint8Array>;
  /** The file by position; of a pipe, which has none, all that comes through it. */
  whole(): Promise<RandomAccess>;
  close(): Promise<void>;
}

/**
 * Opens a file, or a pipe, to read.
 *
 * @param piece - bytes to read at once.
 * @throws {@link DataError} when it cannot be opened or read, now or later.
 */
export async function openFile(path: string, piece = PIECE): Promise<FilePieces> {
  const guarded = async <Result>(action: () => Promise<Result>): Promise<Result> => {
    try {
      return await action();
    } catch (cause) {
      if (cause instanceof DataError) throw cause;
      const facts = { given: reasonOf(cause), expected: "a readable file", remedy: "Check the path." };
      throw new DataError({ subject: path, ...facts }, { cause });
    }
  };
  const handle = await guarded(() => open(path));
  const kind = await guarded(() => handle.stat());
  const positioned = kind.isFile() && kind.size > 0; // what /proc shows has a size of 0
  let first: Uint8Array | undefined;

  const readAt = async (position: number | null, length: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const at = position === null ? null : position + filled;
      const { bytesRead } = await handle.read(bytes, filled, Math.min(piece, length - filled), at);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  };
  const start = () => guarded(async () => (first ??= await readAt(positioned ? 0 : null, piece)));

  async function* pieces(): AsyncGenerator<Uint8Array> {
    let next = await start();
    for (let at = 0; next.length > 0; ) {
      yield next;
      at += next.length;
      next = await guarded(() => readAt(positioned ? at : null, piece));
    }
  }

  const byPosition: RandomAccess = {
    size: kind.size,
    read: (offset, length) =>
      guarded(async () => {
        const bytes = await readAt(offset, length);
        if (bytes.length === length) return bytes;
        const facts = {
          given: "a file that became shorter",
          expected: "the same file throughout",
          remedy: "Try again.",
        };
        throw new DataError({ subject: path, ...facts });
      }),
  };
  return {
    start,
    whole: async () => (positioned ? byPosition : inMemory(await gathered(pieces()))),
    pieces,
    close: () => handle.close(),
  };
}

async function gathered(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

function inMemory(bytes: Uint8Array): RandomAccess {
  return { size: bytes.length, read: async (from, length) => bytes.subarray(from, from + length) };
}
