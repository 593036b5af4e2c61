/** NumPy's .npz files: ZIP archives of .npy files. */
import { DataError } from "../errors.ts";
import { listed } from "./column-notes.ts";
import { NPY_START, type NpyArray, NpyReader, readNpyHeader } from "./npy.ts";
import { viewedBytes } from "./numbers.ts";
import { type RandomAccess, unpack, type ZipEntry, zipEntries } from "./unzip.ts";

/** An array of an archive, of which only the header has been read. */
export interface NpzEntry {
  readonly name: string;
  /** Sizes of its axes; left out where it holds no numbers, but text or Python objects. */
  readonly shape?: readonly number[];
}

/**
 * The arrays in a .npz file, as numpy.savez and numpy.savez_compressed write it.
 *
 * @param source - the file's name, for messages.
 * @param names - of the arrays to read. Default: all.
 * @throws {@link DataError} when the file is damaged, an array is not there, or one does not hold numbers.
 * @example
 * const { data, shape } = (await readNpz(bytes, "digits.npz", ["x_train"])).get("x_train")!;
 */
export async function readNpz(
  given: Uint8Array | ArrayBuffer,
  source = "npz file",
  names?: readonly string[],
): Promise<Map<string, NpyArray>> {
  const bytes = viewedBytes(source, given);
  const file = {
    size: bytes.length,
    read: async (from: number, length: number) => bytes.subarray(from, from + length),
  };
  const archive = await NpzArchive.open(file, source);
  const arrays = new Map<string, NpyArray>();
  for (const name of names ?? archive.entries.map((entry) => entry.name)) arrays.set(name, await archive.read(name));
  return arrays;
}

/** A .npz file whose arrays are read one by one, in pieces. */
export class NpzArchive {
  /** In the order of the file. */
  readonly entries: readonly NpzEntry[];
  private readonly file: RandomAccess;
  private readonly source: string;
  private readonly files: readonly ZipEntry[];

  private constructor(file: RandomAccess, source: string, files: readonly ZipEntry[], entries: readonly NpzEntry[]) {
    this.file = file;
    this.source = source;
    this.files = files;
    this.entries = entries;
  }

  /** @throws {@link DataError} when the bytes are no archive of arrays. */
  static async open(file: RandomAccess, source: string): Promise<NpzArchive> {
    const files = await zipEntries(file, source);
    if (files.length === 0 || !files.every(({ name }) => name.endsWith(".npy"))) {
      throw new DataError({
        subject: source,
        given:
          files.length === 0
            ? "an empty archive"
            : `an archive of ${listed(
                files.map(({ name }) => name),
                4,
              )}`,
        expected: "an archive of .npy files",
        remedy: "Write arrays with numpy.savez; save a spreadsheet as CSV.",
      });
    }
    const entries: NpzEntry[] = [];
    for (const one of files) {
      const shape = await shapeOf(file, one, source);
      entries.push({ name: one.name.slice(0, -".npy".length), ...(shape && { shape }) });
    }
    return new NpzArchive(file, source, files, entries);
  }

  /** @throws {@link DataError} when there is no such array, it does not hold numbers, or it is damaged. */
  async read(name: string): Promise<NpyArray> {
    const entry = this.files[this.entries.findIndex((one) => one.name === name)];
    if (!entry) throw this.refusal(name, "Names are case-sensitive.");
    const reader = new NpyReader(`${this.source}, ${name}`, entry.size);
    for await (const piece of unpack(this.file, entry, this.source)) reader.push(piece);
    return reader.end();
  }

  /**
   * The name of the array that holds the points: the one asked for; else the only one of two axes or more; else the only
   * one of one axis.
   *
   * @param beside - names of arrays that hold something else, such as labels.
   * @throws {@link DataError} when there is none or more than one.
   */
  choose(asked?: string, beside: readonly string[] = []): string {
    if (asked !== undefined) return asked;
    const open = this.entries.filter(({ name }) => !beside.includes(name));
    const wide = open.filter(({ shape = [] }) => shape.length > 1);
    const candidates = wide.length > 0 ? wide : open.filter(({ shape }) => shape?.length === 1);
    if (candidates.length === 1) return candidates[0].name;
    const given = candidates.length === 0 ? "no array of points" : `${candidates.length} arrays that may hold points`;
    throw this.refusal(given, "Name one (option array, --array).");
  }

  private refusal(given: string, remedy: string): DataError {
    const shown = this.entries.map(({ name, shape }) => `${name} ${shape ? `[${shape.join(", ")}]` : "(no numbers)"}`);
    return new DataError({ subject: this.source, given, expected: `one of ${listed(shown, 20)}`, remedy });
  }
}

async function shapeOf(file: RandomAccess, entry: ZipEntry, source: string): Promise<readonly number[] | undefined> {
  let start = new Uint8Array(0);
  for await (const piece of unpack(file, entry, source)) {
    const longer = new Uint8Array(start.length + piece.length);
    longer.set(start);
    longer.set(piece, start.length);
    start = longer;
    if (start.length >= NPY_START) break;
  }
  try {
    return readNpyHeader(start, entry.size, source).header.shape;
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}
