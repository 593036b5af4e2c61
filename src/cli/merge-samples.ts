/** Samples in parts, put together: the bytes of the file that the whole command writes. */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { npyHeader, readNpz, writeNpz } from "../data.ts";
import { ConfigError, DataError } from "../index.ts";
import { openFile } from "./file-pieces.ts";
import { readBytes } from "./files.ts";
import type { FoundPart } from "./merge-parts.ts";
import { expectRoom, type Target, writeFileTo } from "./results.ts";
import { partFileOf } from "./shard.ts";

/** The files that parts' rows are in. */
export const filesOf = (parts: readonly FoundPart[]): string[] => parts.map(({ name }) => name);

export async function mergeSamples(target: Target, parts: readonly [FoundPart, ...FoundPart[]]): Promise<void> {
  const [{ part }] = parts;
  const format = part.file?.format;
  if (format !== target.format) {
    throw new ConfigError({
      subject: `--out ${target.path}`,
      given: `a .${target.format} file, of parts that are .${format}`,
      expected: "a file of the parts' format",
      remedy: `Let --out end in .${format}, or say --format ${format}.`,
    });
  }
  if (format === "npz") return mergeArchives(target, parts);
  await writeFileTo(target, format === "npy" ? arraysOf(parts) : textOf(parts));
}

/** A part's bytes in pieces; damage is told when the last one is read, before the result has its name. */
async function* bytesOf({ name, part }: FoundPart): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  const file = await openFile(name);
  try {
    for await (const piece of file.pieces()) {
      hash.update(piece);
      yield piece;
    }
  } finally {
    await file.close();
  }
  if (hash.digest("hex") !== part.file?.sha256) throw damaged(name);
}

function damaged(name: string): DataError {
  return new DataError({
    subject: name,
    given: "other bytes than were written",
    expected: `the file that ${basename(partFileOf(name))} is of`,
    remedy: "Bring it again, or make the part again.",
  });
}

/** Bytes by which a header's end is found: NumPy's and ours are far shorter, names of columns as well. */
const LONGEST_HEADER = 1 << 22;

/** A part's bytes, those of its header first. */
async function* parted(part: FoundPart, endOf: (bytes: Uint8Array) => number | undefined) {
  let begun = new Uint8Array(0);
  let found = false;
  for await (const piece of bytesOf(part)) {
    if (found) {
      yield piece;
      continue;
    }
    begun = Buffer.concat([begun, piece]);
    const end = endOf(begun);
    if (end === undefined && begun.length < LONGEST_HEADER) continue;
    if (end === undefined) break;
    found = true;
    yield begun.subarray(0, end);
    yield begun.subarray(end);
  }
  if (!found) throw damaged(part.name);
}

/** Behind the first line break that is not in quotes. */
function endOfLine(bytes: Uint8Array): number | undefined {
  let isQuoted = false;
  for (const [at, byte] of bytes.entries()) {
    if (byte === 0x22) isQuoted = !isQuoted;
    if (byte === 0x0a && !isQuoted) return at + 1;
  }
  return undefined;
}

async function* textOf(parts: readonly FoundPart[]) {
  let header: string | undefined;
  for (const part of parts) {
    let isFirst = true;
    for await (const piece of parted(part, endOfLine)) {
      if (!isFirst) yield piece;
      else {
        const own = new TextDecoder().decode(piece);
        if (header === undefined) yield piece;
        header ??= own;
        if (own !== header) throw otherColumns(part.name, own, header);
      }
      isFirst = false;
    }
  }
}

function otherColumns(name: string, own: string, header: string): DataError {
  return new DataError({
    subject: name,
    given: `columns ${own.trim()}`,
    expected: `columns ${header.trim()}, as of the first part`,
    remedy: "Make the parts by one command.",
  });
}

/** Magic and version, then the length of what follows. */
const PREFIX = 10;

function endOfNpyHeader(bytes: Uint8Array): number | undefined {
  if (bytes.length < PREFIX) return undefined;
  const end = PREFIX + new DataView(bytes.buffer, bytes.byteOffset).getUint16(8, true);
  return bytes.length < end ? undefined : end;
}

async function* arraysOf(parts: readonly FoundPart[]) {
  let header: string | undefined;
  for (const part of parts) {
    let isFirst = true;
    const { first, last, count } = part.part.part;
    for await (const piece of parted(part, endOfNpyHeader)) {
      if (!isFirst) yield piece;
      else {
        const own = new TextDecoder("latin1").decode(piece);
        const [, bytesEach, rows, sizes] = /'<f([48])'.*\((\d+),([^)]*)\)/.exec(own) ?? [];
        if (Number(rows) !== last - first || sizes === undefined) throw damaged(part.name);
        const each = sizes.split(",").map(Number).filter(Boolean);
        const kind = `[..., ${each.join(", ")}] of f${8 * Number(bytesEach)}`;
        if (header === undefined) yield npyHeader([count, ...each], Number(bytesEach) as 4 | 8);
        header ??= kind;
        if (kind !== header) throw otherColumns(part.name, kind, header);
      }
      isFirst = false;
    }
  }
}

type Arrays = Awaited<ReturnType<typeof readNpz>>;

async function mergeArchives(target: Target, parts: readonly FoundPart[]): Promise<void> {
  const all: Arrays[] = [];
  for (const part of parts) {
    const bytes = await readBytes(part.name);
    if (createHash("sha256").update(bytes).digest("hex") !== part.part.file?.sha256) throw damaged(part.name);
    all.push(await readNpz(bytes, part.name));
  }
  const [first] = all;
  const names = [...(first?.keys() ?? [])];
  const merged = names.map((name) => {
    const arrays = all.map((one, i) => {
      const found = one.get(name);
      if (!found) throw otherColumns(parts[i]?.name ?? "", [...one.keys()].join(), names.join());
      return found;
    });
    const length = arrays.reduce((sum, { data }) => sum + data.length, 0);
    const values = arrays[0]?.data instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
    let at = 0;
    for (const { data } of arrays) {
      values.set(data, at);
      at += data.length;
    }
    const rows = arrays.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
    return [name, { values, shape: [rows, ...(arrays[0]?.shape.slice(1) ?? [])] }] as const;
  });
  expectRoom(
    target,
    merged.reduce((sum, [, { values }]) => sum + values.length, 0),
  );
  await writeFileTo(target, writeNpz(Object.fromEntries(merged)));
}
