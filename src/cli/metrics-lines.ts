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
  let last: (Counted & { readonly number: number }) | undefined;
  let [left, others, number] = [0, 0, 0];
  let damaged: { readonly line: Line; readonly number: number } | undefined;
  for await (const lines of countingIn(path, step)) {
    for (const line of lines) {
      number++;
      if (line.counts) {
        if (damaged) throw noRecord(path, damaged.line.text, damaged.number);
        last = { ...line, number };
        left += others;
        others = 0;
      } else if (line.step !== undefined) others++;
      else if (line.text !== "") damaged ??= { line, number };
    }
  }
  if (!last) return { end: 0, left: 0, isEnded: true, last: undefined };
  const line = recordIn(last.text as string);
  if (!line) throw noRecord(path, last.text, last.number);
  return { end: last.end, left, isEnded: last.isEnded, last: { line, start: last.start } };
}

function noRecord(path: string, text = "a line of more than a million bytes", number: number): DataError {
  return new DataError({
    subject: `${path}, line ${number}`,
    given: text,
    expected: 'JSON of a step, such as {"step":1,"loss":2}',
    remedy: "Remove the line, or move the file away.",
  });
}

/** The lines that {@link scanMetrics} counts, many at once. */
export async function* keptLines(path: string, step: number): AsyncGenerator<string> {
  for await (const lines of countingIn(path, step)) {
    yield lines.flatMap(({ counts, text }) => (counts ? `${text}\n` : [])).join("");
  }
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
  /** Undefined where it is no record of one. */
  readonly step: number | undefined;
  readonly counts: boolean;
}

/** All lines. Of those that count steps rise from one to the next, and end at `step`. */
async function* countingIn(path: string, step: number): AsyncGenerator<readonly Counted[]> {
  let before = -1;
  for await (const lines of linesIn(path)) {
    yield lines.map((line) => {
      const own = line.text === undefined ? undefined : stepIn(line.text);
      const counts = own !== undefined && own > before && own <= step;
      if (counts) before = own;
      return { ...line, step: own, counts };
    });
  }
}

/** As this command writes them, of which there may be millions: they are not read as JSON. */
const usual = /^\{"step":(\d{1,15})[,}]/;

function stepIn(text: string): number | undefined {
  const own = text.endsWith("}") && usual.exec(text)?.[1];
  return own ? Number(own) : recordIn(text)?.step;
}

function recordIn(text: string): MetricsLine | undefined {
  try {
    const line = JSON.parse(text);
    return typeof line === "object" && line !== null && Number.isSafeInteger(line.step) ? line : undefined;
  } catch {
    return undefined;
  }
}

/** The lines of a file, those of a piece at once. */
async function* linesIn(path: string): AsyncGenerator<readonly Line[]> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (!file) return;
  try {
    if (!(await file.stat()).isFile()) return;
    const piece = Buffer.alloc(PIECE);
    /** Of the line that is not at its end yet; undefined where it is too long. */
    let begun: Buffer | undefined = Buffer.alloc(0);
    let [start, at] = [0, 0];
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, PIECE, at);
      if (bytesRead === 0) break;
      const lines: Line[] = [];
      let from = 0;
      for (let to = piece.indexOf(10); to >= 0 && to < bytesRead; to = piece.indexOf(10, from)) {
        const text: string | undefined = begun && Buffer.concat([begun, piece.subarray(from, to)]).toString("utf8");
        const end = at + to + 1;
        lines.push({ start, end, text, isEnded: true });
        [begun, start, from] = [Buffer.alloc(0), end, to + 1];
      }
      at += bytesRead;
      begun = begun && at - start <= PIECE ? Buffer.concat([begun, piece.subarray(from, bytesRead)]) : undefined;
      yield lines;
    }
    if (at > start) yield [{ start, end: at, text: begun?.toString("utf8"), isEnded: false }];
  } finally {
    await file.close();
  }
}
