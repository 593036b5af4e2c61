/** `--shard i/n`: a part of a command's result, made apart, with what `merge` has to know of it in FILE.part.json. */
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { ConfigError, type LoadOptions, type Runtime, type SolveOptions, VERSION } from "../index.ts";
import type { Shard, ShardRows } from "../likelihoods.ts";
import { openFile } from "./file-pieces.ts";
import { jsonPieces } from "./json.ts";
import { remark } from "./output.ts";
import { replaceFile } from "./replace-file.ts";
import { counted } from "./report/numbers.ts";
import type { FileTarget, Target } from "./results.ts";

export const shardArgument = {
  type: "string",
  description: "this part alone, as 2/8: the same bits wherever it is made; divflow merge puts parts together",
} as const;

/** More would be a mistake in a number. */
const MOST_SHARDS = 1_000_000;

/** What has to be equal in all parts, by the words that sentences name it by. */
export type Made = Readonly<Record<string, string | number | boolean | null>>;

/** What a part says of itself: plain JSON. */
export interface Part {
  readonly divflow: string;
  readonly command: "sample" | "evaluate";
  readonly part: {
    /** From 1. */
    readonly index: number;
    readonly of: number;
    /** Rows `first` to before `last` of `count`. */
    readonly first: number;
    readonly last: number;
    readonly count: number;
  };
  readonly made: Made;
  /** Without its threads, which results do not depend on. */
  readonly device: string;
  readonly seconds: number;
  /** What the whole's document says beside its figures. */
  readonly document: Readonly<Record<string, unknown>>;
  /** Of the file that the rows are in, beside this one: under its name without .part.json. */
  readonly file?: { readonly format: Target["format"]; readonly sha256: string };
  /** Of an evaluation, in nats by row; null: none there. */
  readonly logDensities?: readonly (number | null)[];
  readonly standardErrors?: readonly (number | null)[];
}

/** `2/8`, counted from 1 on the command line. */
export function readShard(given: string | undefined): Shard | undefined {
  if (given === undefined) return undefined;
  const [, index = 0, of = 0] = (/^(\d{1,7})\/(\d{1,7})$/.exec(given) ?? []).map(Number);
  if (index >= 1 && index <= of && of <= MOST_SHARDS) return { index: index - 1, of };
  throw new ConfigError({
    subject: "--shard",
    given,
    expected: "i/n: part i of n, counted from 1",
    remedy: given.startsWith("0/") ? "The first part is 1/n." : "Write such as --shard 2/8.",
  });
}

const ENDING = ".part.json";

export const partFileOf = (path: string) => `${path}${ENDING}`;

/** The file of rows that this one tells of; itself where there is none. */
export const rowsFileOf = (path: string) => (path.endsWith(ENDING) ? path.slice(0, -ENDING.length) : path);

/** Refuses, before any work, a part that could not be kept with what is known of it. */
export async function expectPartFile({ path, standardOutput }: FileTarget): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!standardOutput && (found === undefined || found.isFile())) return;
  throw new ConfigError({
    subject: "--shard",
    given: `beside --out ${path}`,
    expected: "a file: what merge has to know of a part is written beside it",
    remedy: "Name a file.",
  });
}

/** Says it where a part has to solve more than its own rows. */
export function remarkOnCost({ first, last, atOnce }: ShardRows, count: number, noun: string): void {
  const solved = Math.min(count, Math.ceil(last / atOnce) * atOnce) - (first - (first % atOnce));
  if (solved === last - first) return;
  remark(
    `${counted(last - first, noun)} of this part are solved with ${(solved - (last - first)).toLocaleString("en")} others, ` +
      `as the whole solves ${counted(Math.min(count, atOnce), noun)} at once: so many parts of so few rows take no less time each.`,
  );
}

/** `part 2 of 8, rows 1,024 to 2,047 of 8,192`. */
export function partInWords({ index, of, first, last, count }: Part["part"]): string {
  const [from, to] = [first, last - 1].map((row) => row.toLocaleString("en"));
  return `part ${index} of ${of}, ${first === last - 1 ? `row ${from}` : `rows ${from} to ${to}`} of ${count.toLocaleString("en")}`;
}

interface PartFacts
  extends Pick<Part, "command" | "made" | "seconds" | "document" | "logDensities" | "standardErrors"> {
  readonly shard: Shard;
  readonly rows: ShardRows;
  readonly count: number;
  readonly runtime: Pick<Runtime, "backend" | "device">;
}

export function partOf({ shard, rows: { first, last }, count, runtime, made, ...facts }: PartFacts): Part {
  return {
    divflow: VERSION,
    ...facts,
    part: { index: shard.index + 1, of: shard.of, first, last, count },
    made: { ...made, backend: runtime.backend },
    device: runtime.device.replace(/, (one thread|\d+ threads)$/, ""),
  };
}

/** Writes FILE.part.json, when FILE is there. */
export async function writePart({ path, format }: Target, part: Part): Promise<void> {
  const file = { format, sha256: await hashOfFile(path) };
  await replaceFile(partFileOf(path), jsonPieces({ ...part, file }));
}

async function hashOfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  const file = await openFile(path);
  try {
    for await (const piece of file.pieces()) hash.update(piece);
  } finally {
    await file.close();
  }
  return hash.digest("hex");
}

/** What the parts of every command have to have in common. */
export function madeWith(
  bytes: Uint8Array,
  { activation, config }: LoadOptions,
  { seed = 0, solver, conditions }: SolveOptions,
): Made {
  const options = Object.entries(solver?.options ?? {}).map(
    ([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`,
  );
  return {
    model: digestOf(bytes),
    "--activation": activation ?? null,
    "--config": digestOf(config),
    "--seed": seed,
    "--solver": [solver?.name, ...options].join(", "),
    "--label and --condition": digestOf(conditions),
  };
}

/** Digits enough to tell files apart, and few enough for a sentence. */
const DIGITS = 16;

/** What stands for bytes, numbers or plain data in {@link Made}; null where there are none. */
export function digestOf(content: unknown): string | null {
  if (content === undefined) return null;
  const bytes = ArrayBuffer.isView(content)
    ? new Uint8Array(content.buffer, content.byteOffset, content.byteLength)
    : JSON.stringify(content, (_, value) => (ArrayBuffer.isView(value) ? Array.from(value as Float64Array) : value));
  return `sha256 ${createHash("sha256").update(bytes).digest("hex").slice(0, DIGITS)}`;
}
