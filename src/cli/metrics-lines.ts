/** Reading metrics.jsonl: which of its lines count, however it was damaged and however long it is. */
import { open } from "node:fs/promises";
import { DataError, type StepMetrics, type ValidationMetrics } from "../index.ts";

/** A line: of a step, and of the validation behind it, where there was one. */
export type MetricsLine = Partial<StepMetrics> & { readonly step: number; readonly validation?: ValidationMetrics };

/** Bytes read at once, and of a line at most: longer ones are none of ours. */
const PIECE = 1 << 20;

export interface FoundLines {
  /** Bytes up to the end of the last line that counts. */
  readonly end: number;
  /** Records of steps before it that do not: their steps do not follow. */
  readonly left: number;
  /** Whether that line ends as it should. */
  readonly isEnded: boolean;
  readonly last: { readonly line: MetricsLine; readonly start: number } | undefined;
}

/**
 * Looks through the lines up to `step`; none where there is no file. Lines that are no record of a step are left out
 * behind the last one that is: a killed process or a power cut leaves such. So are steps that do not follow the one before.
 *
 * @throws {@link DataError} naming the first line that is no record of a step before one that is.
 */
export async function scanMetrics(path: string, step: number): Promise<FoundLines> {
  let found: FoundLines = { end: 0, left: 0, isEnded: true, last: undefined };
  let others = 0;
  let damaged: (Line & { readonly number: number }) | undefined;
  let number = 0;
  for await (const one of counting(path, step)) {
    const { start, end, text, isEnded, line, isRecord } = one;
    number++;
    if (line && damaged) throw noRecord(path, damaged);
    if (line) {
      found = { end, left: found.left + others, isEnded, last: { line, start } };
      others = 0;
    } else if (isRecord) others++;
    else if (text !== "") damaged ??= { ...one, number };
  }
  return found;
}

function noRecord(
  path: string,
  { text = "a line of more than a million bytes", number }: { text?: string | undefined; number: number },
) {
  return new DataError({
    subject: `${path}, line ${number}`,
    given: text,
    expected: 'JSON of a step, such as {"step":1,"loss":2}',
    remedy: "Remove the line, or move the file away.",
  });
}

/** The lines that {@link scanMetrics} counts. */
export async function* keptLines(path: string, step: number): AsyncGenerator<string> {
  for await (const { text, line } of counting(path, step)) if (line) yield `${text}\n`;
}

interface Line {
  /** Where it begins, and where the next one does. */
  readonly start: number;
  readonly end: number;
  /** Undefined where it is too long. */
  readonly text: string | undefined;
  /** By a line break, not by the end of the file. */
  readonly isEnded: boolean;
}

interface Counted extends Line {
  readonly line: MetricsLine | undefined;
  readonly isRecord: boolean;
}

/** All lines; those that count with what they say. Steps rise from one to the next, and end at `step`. */
async function* counting(path: string, step: number): AsyncGenerator<Counted> {
  let before = -1;
  for await (const one of linesIn(path)) {
    const read = one.text === undefined ? undefined : recordIn(one.text);
    const line = read && read.step > before && read.step <= step ? read : undefined;
    if (line) before = line.step;
    yield { ...one, line, isRecord: read !== undefined };
  }
}

function recordIn(text: string): MetricsLine | undefined {
  try {
    const line = JSON.parse(text);
    return typeof line === "object" && line !== null && Number.isSafeInteger(line.step) ? line : undefined;
  } catch {
    return undefined;
  }
}

async function* linesIn(path: string): AsyncGenerator<Line> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (!file) return;
  try {
    if (!(await file.stat()).isFile()) return;
    const piece = Buffer.alloc(PIECE);
    /** Of the line that is not at its end yet. */
    let parts: Buffer[] | undefined = [];
    let length = 0;
    let start = 0;
    const take = (bytes: Buffer) => {
      length += bytes.length;
      if (length > PIECE) parts = undefined;
      parts?.push(Buffer.from(bytes)); // the piece is read into again
    };
    const line = (isEnded: boolean): Line => {
      const end = start + length + (isEnded ? 1 : 0);
      const made = { start, end, text: parts && Buffer.concat(parts).toString("utf8"), isEnded };
      [parts, length, start] = [[], 0, end];
      return made;
    };
    for (let at = 0; ; ) {
      const { bytesRead } = await file.read(piece, 0, PIECE, at);
      if (bytesRead === 0) break;
      at += bytesRead;
      let from = 0;
      for (let to = piece.indexOf(10); to >= 0 && to < bytesRead; to = piece.indexOf(10, from)) {
        take(piece.subarray(from, to));
        yield line(true);
        from = to + 1;
      }
      take(piece.subarray(from, bytesRead));
    }
    if (length > 0) yield line(false);
  } finally {
    await file.close();
  }
}
