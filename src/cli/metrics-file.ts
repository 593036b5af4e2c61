/**
 * metrics.jsonl of a run: a line of JSON for each step, and for a validation before the first one. It grows as steps are
 * reported, so that it is never in memory; what a killed process wrote past its model is cut off when the run goes on.
 */
import { type FileHandle, open, stat, writeFile } from "node:fs/promises";
import { type FoundLines, keptLines, type MetricsLine, scanMetrics } from "./metrics-lines.ts";
import { replaceFile } from "./replace-file.ts";

/** Bytes of lines that wait in memory for room on a full disk, at most; those beyond are lost. */
const MOST_WAITING = 1 << 26;

export class MetricsFile {
  readonly path: string;
  /** Lines that were lost, for want of room. */
  lost = 0;
  #file: FileHandle | undefined;
  /** What is still to be done before lines can be added: tried again where the disk was full. */
  #beginning: (() => Promise<void>) | undefined;
  /** Bytes of the file that count: behind them the next line comes. */
  #size = 0;
  /** Lines go to a device or a pipe, from which nothing can be cut. */
  #isPlain = true;
  /** The last line there is, and where it begins once it is written. */
  #last: { readonly line: MetricsLine; readonly start: number } | undefined;
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** Where the last line up to the saved model's step begins; undefined where there is none. */
  #kept: { readonly start: number | undefined } | undefined;
  #waits = false;

  constructor(path: string) {
    this.path = path;
  }

  /** Begins anew, without lines. */
  begin(): Promise<void> {
    this.#beginning = async () => {
      await replaceFile(this.path, "");
      await this.#open(0);
    };
    return this.#begun();
  }

  /**
   * Goes on behind the lines that were found up to `step` in `source`: this file, or that of the folder that the run comes
   * from. All others go.
   */
  goOn(step: number, found: FoundLines, source = this.path): Promise<void> {
    this.#beginning = async () => {
      let own = found;
      if (source !== this.path || found.left > 0 || !found.isEnded || !(await isFile(this.path))) {
        await replaceFile(this.path, keptLines(source, step));
        own = await scanMetrics(this.path, step);
      }
      await this.#open(own.end);
      this.#last = own.last;
    };
    return this.#begun();
  }

  /** Adds lines, in the order of their steps. A validation of the step that stands last joins its line. */
  async add(lines: readonly MetricsLine[]): Promise<void> {
    for (const line of lines) this.#put(line);
    await this.#write();
  }

  /** Cuts off what is past `step`, where a lost device took back steps that were told of, and puts all on the disk. */
  async settle(step: number): Promise<void> {
    await this.#write();
    if (this.#last && this.#last.line.step > step && this.#isPlain)
      await this.goOn(step, await scanMetrics(this.path, step));
    if (this.#isPlain) await this.#file?.sync();
  }

  /** The model of the last line's step is on the disk, and so are all lines. */
  saved(): void {
    this.#kept = { start: this.#last?.start };
  }

  /** Lines that are not written yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Whether lines wait in memory for a model that has no room. */
  get waits(): boolean {
    return this.#waits;
  }

  /**
   * Leaves the room of all lines behind those of {@link saved} to the model: from now on lines wait. Those for which there
   * is no memory are lost.
   */
  async giveWay(): Promise<void> {
    this.#waits = true;
    const [file, kept] = [this.#file, this.#kept];
    if (!file || !kept || !this.#isPlain) return;
    const from = kept.start ?? 0;
    const bytes = Buffer.alloc(Math.max(0, this.#size - from));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
    // A validation may have joined the kept line since, which is longer now.
    const own = kept.start === undefined ? 0 : bytes.indexOf(10) + 1;
    if (bytesRead < bytes.length || own >= bytes.length) return;
    const lines = [...bytes.toString("latin1", own).split(/(?<=\n)/), ...this.#waiting];
    await file.truncate(from + own);
    this.#size = from + own;
    [this.#waiting, this.#waitingBytes] = [[], 0];
    for (const line of lines) this.#wait(line);
    const last = this.#waiting.at(-1);
    if (last !== undefined) this.#last = { line: JSON.parse(last), start: 0 };
  }

  /** The model is there: lines are written again. */
  comeBack(): void {
    this.#waits = false;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  #put(line: MetricsLine): void {
    let whole = line;
    if (this.#last?.line.step === line.step && this.#beginning === undefined) {
      whole = { ...this.#last.line, ...line };
      const replaced = this.#waiting.pop();
      if (replaced === undefined) this.#size = this.#last.start;
      else this.#waitingBytes -= replaced.length;
    }
    const text = `${JSON.stringify(whole)}\n`; // of ASCII alone
    if (this.#wait(text)) this.#last = { line: whole, start: 0 };
  }

  #wait(text: string): boolean {
    if (this.#waitingBytes + text.length > MOST_WAITING) {
      this.lost++;
      return false;
    }
    this.#waiting.push(text);
    this.#waitingBytes += text.length;
    return true;
  }

  /** Lines wait until they are written as a whole: what there was room for of them makes room again, for a model say. */
  async #write(): Promise<void> {
    if (this.#waits) return;
    await this.#begun();
    const file = this.#file;
    const line = this.#last?.line;
    if (!file || !line || this.#waiting.length === 0) return;
    const bytes = Buffer.from(this.#waiting.join(""), "latin1");
    if (!this.#isPlain) await writeFile(file, bytes);
    for (let done = 0; this.#isPlain && done < bytes.length; ) {
      try {
        done += (await file.write(bytes, done, bytes.length - done, this.#size + done)).bytesWritten;
      } catch (error) {
        await file.truncate(this.#size).catch(() => {}); // the first error is the one to tell
        throw error;
      }
    }
    this.#size += bytes.length;
    this.#last = { line, start: this.#size - (this.#waiting.at(-1) as string).length };
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  async #begun(): Promise<void> {
    await this.#beginning?.();
    this.#beginning = undefined;
  }

  /** Opens the file, of which so many bytes count. */
  async #open(size: number): Promise<void> {
    await this.close();
    this.#isPlain = await isFile(this.path);
    this.#file = await open(this.path, this.#isPlain ? "r+" : "a");
    if (this.#isPlain) await this.#file.truncate(size);
    this.#size = size;
    this.#last = undefined;
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}
