/** Parts of a command's result as `merge` finds them: read, held against each other, and in the order of their rows. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, DataError } from "../index.ts";
import { readBytes } from "./files.ts";
import { real } from "./overwrite.ts";
import type { Made, Part } from "./shard.ts";
import { partFileOf, rowsFileOf } from "./shard.ts";

/** A part, with the file that its rows are in, which sentences call it by. */
export interface FoundPart {
  readonly name: string;
  readonly part: Part;
}

/** The files of parts that are named: FILE stands for FILE.part.json beside it, a folder for all such in it. */
export async function partFilesIn(given: readonly string[]): Promise<readonly string[]> {
  const found = new Map<string, string>();
  for (const path of given) {
    for (const file of await partFilesOf(path)) {
      const identity = await real(file);
      if (!found.has(identity)) found.set(identity, file);
    }
  }
  return [...found.values()];
}

async function partFilesOf(path: string): Promise<readonly string[]> {
  if (path.endsWith(".json")) return [path];
  const kind = await stat(path).catch(() => undefined);
  if (!kind?.isDirectory()) {
    const own = partFileOf(path);
    if (await stat(own).catch(() => undefined)) return [own];
    throw new DataError({
      subject: path,
      given: kind ? "a file without what is known of it" : "no such file",
      expected: `a part that --shard wrote, with ${own} beside it`,
      remedy: "Bring both files, or make the part again.",
    });
  }
  const all = (await readdir(path)).filter((name) => name.endsWith(partFileOf(""))).sort();
  if (all.length > 0) return all.map((name) => join(path, name));
  throw new DataError({
    subject: path,
    given: "a folder without parts",
    expected: "files that --shard wrote, with their .part.json",
    remedy: "Name the folder or the files that parts are in.",
  });
}

/**
 * All parts of one result, in the order of their rows.
 *
 * @throws {@link DataError} when a file is none of a part, or parts are missing, there twice, or of different results.
 */
export async function readParts(files: readonly string[]): Promise<readonly [FoundPart, ...FoundPart[]]> {
  const parts = await Promise.all(files.map(readPart));
  const [first] = parts;
  if (!first) throw noParts();
  for (const one of parts) expectAlike(first, one);
  const { of } = first.part.part;
  const inOrder = parts.toSorted((a, b) => a.part.part.index - b.part.part.index);
  for (const [i, { name, part }] of inOrder.entries()) {
    const before = inOrder[i - 1];
    if (before?.part.part.index !== part.part.index) continue;
    throw new DataError({
      subject: name,
      given: `part ${part.part.index} of ${of}, which ${before.name} is too`,
      expected: "each part once",
      remedy: "Leave one of them out.",
    });
  }
  expectAll(
    inOrder.map(({ part }) => part.part.index),
    of,
  );
  expectRows(inOrder);
  return inOrder as [FoundPart, ...FoundPart[]];
}

function noParts(): ConfigError {
  return new ConfigError({
    subject: "divflow merge",
    given: "nothing",
    expected: "the parts to put together: files that --shard wrote, or folders of them",
    remedy: "Write such as divflow merge parts/ --out samples.npy.",
  });
}

async function readPart(file: string): Promise<FoundPart> {
  const text = new TextDecoder().decode(await readBytes(file));
  let part: Part | undefined;
  try {
    part = JSON.parse(text);
  } catch {
    // said below
  }
  const numbers = part && Object.values(Object(part.part));
  const isPart = numbers?.length === 5 && numbers.every(Number.isSafeInteger) && typeof part?.made === "object";
  if (!part || !isPart || (part.command !== "sample" && part.command !== "evaluate")) {
    throw new DataError({
      subject: file,
      given: part ? "JSON of something else" : "damaged JSON",
      expected: "a part that --shard wrote",
      remedy: "Make the part again, or leave the file out.",
    });
  }
  return { name: rowsFileOf(file), part };
}

/** What must be equal, by name; the last ones are of no command's options. */
const factsOf = ({ command, divflow, made, part: { of, count } }: Part): Made => ({
  command,
  "divflow version": divflow,
  ...made,
  rows: count,
  "number of parts": of,
});

function expectAlike(first: FoundPart, one: FoundPart): void {
  const [wanted, own] = [factsOf(first.part), factsOf(one.part)];
  const name = [...new Set([...Object.keys(wanted), ...Object.keys(own)])].find((key) => wanted[key] !== own[key]);
  if (name === undefined) return;
  const inWords = (value: Made[string] | undefined) => (value === undefined || value === null ? "none" : String(value));
  throw new DataError({
    subject: one.name,
    given: `${name} ${inWords(own[name])}`,
    expected: `${name} ${inWords(wanted[name])}, as of ${first.name}`,
    remedy: "Parts are of one command, which all machines run alike but for --shard: make the other ones again.",
  });
}

/** Numbers that a sentence still lists. */
const MOST_LISTED = 8;

function expectAll(there: readonly number[], of: number): void {
  const missing = Array.from({ length: of }, (_, i) => i + 1).filter((index) => !there.includes(index));
  if (missing.length === 0) return;
  const listed = missing.slice(0, MOST_LISTED).join(", ");
  throw new DataError({
    subject: "parts",
    given: `${there.length} of ${of}: ${missing.length > MOST_LISTED ? `${listed} and others are` : missing.length > 1 ? `${listed} are` : `${listed} is`} missing`,
    expected: "all of them",
    remedy: `Make what is missing: --shard ${missing[0]}/${of}.`,
  });
}

/** Equal options give rows that follow each other; unless a file was changed. */
function expectRows(parts: readonly FoundPart[]): void {
  let next = 0;
  for (const { name, part } of parts) {
    const { first, last, count, index, of } = part.part;
    const end = index === of ? count : last;
    if (first === next && last === end && last > first) {
      next = last;
      continue;
    }
    throw new DataError({
      subject: name,
      given: `rows ${first} to ${last - 1}`,
      expected: `rows from ${next} on${index === of ? ` to ${count - 1}` : ""}`,
      remedy: "The file was changed: make the part again.",
    });
  }
}
