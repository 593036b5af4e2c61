/**
 * The folder of a run: one process at a time writes there, and its three files agree at any moment at which that process
 * may be killed: metrics.jsonl holds each step up to the model's, and perhaps some past it, which a resumed run cuts off.
 */
import { readdir, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Trainer } from "../index.ts";
import { isFull, makeFolder, makeRoom, noFolder, reasonOf } from "./files.ts";
import { LOCK, leftLock, lockFolder } from "./folder-lock.ts";
import { jsonPieces } from "./json.ts";
import { MetricsFile } from "./metrics-file.ts";
import { type MetricsLine, scanMetrics } from "./metrics-lines.ts";
import { remark } from "./output.ts";
import { real } from "./overwrite.ts";
import { replaceFile } from "./replace-file.ts";
import { counted } from "./report/numbers.ts";
import { undivided } from "./signals.ts";

const runFiles = ["config.json", "metrics.jsonl", "model.safetensors"] as const;

/** Names of files in a run's folder, where no folder may stand. */
export const namesOfRun = [...runFiles, LOCK] as const;

/** A run that cannot begin, or ended well, but for its files. */
export class UnsavedError extends Error {
  override readonly name = "UnsavedError";
}

/** What is written in a run's folder. */
export interface RunContent {
  readonly trainer: Trainer;
  /** What config.json says. */
  readonly config: object;
  /** The command that goes on from what is saved. */
  readonly command: string;
  readonly goesOn?: GoesOn;
}

/** A run that goes on from a file. */
export interface GoesOn {
  readonly model: string;
  /** The metrics.jsonl that is this run's; undefined where there is none. */
  readonly metrics: string | undefined;
}

export class RunFolder {
  readonly path: string;
  readonly #metrics: MetricsFile;
  readonly #release: () => void;
  /** Folders that this one's making made: they go where nothing comes into them. */
  readonly #made: readonly string[];
  #content: RunContent | undefined;
  #isKept = false;
  #isConfigured = false;
  /** The step of the model in the folder. */
  #savedStep: number | undefined;
  /** Bytes of the model, as it was last to be saved. */
  #modelBytes = 0;
  /** What was said of files that could not be written, so that it is not said at each report. */
  readonly #said = new Set<string>();

  private constructor(path: string, made: readonly string[], release: () => void) {
    this.path = path;
    this.#made = made;
    this.#release = release;
    this.#metrics = new MetricsFile(this.file("metrics.jsonl"));
  }

  /**
   * Makes the folder, takes it for this process and removes what killed ones left half written.
   *
   * @throws {@link ConfigError} when that cannot be, or another process writes there.
   */
  static async claim(option: string, path: string): Promise<RunFolder> {
    const made = await makeFolder(option, path);
    let release: () => void;
    try {
      release = await lockFolder(option, path);
    } catch (error) {
      await removeEmpty(made);
      throw error instanceof Error && "facts" in error ? error : noFolder(option, path, error);
    }
    // Nobody else writes these files.
    const left = (await readdir(path)).filter((name) => leftLock.test(name) || leftFile.test(name));
    for (const name of left) await rm(join(path, name), { force: true }).catch(() => {});
    return new RunFolder(path, made, release);
  }

  file(name: (typeof runFiles)[number]): string {
    return join(this.path, name);
  }

  /** What a killed or ended process leaves, in words. */
  get kept(): string {
    return this.#savedStep === undefined
      ? "no model is saved"
      : `${this.file("model.safetensors")} holds step ${this.#savedStep}`;
  }

  /**
   * Writes the files of a run that begins or goes on: the folder can be resumed from here on.
   *
   * @throws {@link UnsavedError} when the disk is full, and else what the file system throws: nothing is trained that
   * cannot be saved.
   */
  async begin(content: RunContent): Promise<void> {
    this.#content = content;
    const { trainer, goesOn } = content;
    const { step } = trainer;
    const own = this.file("model.safetensors");
    const isSaved = goesOn !== undefined && (await real(goesOn.model)) === (await real(own));
    if (isSaved) this.#savedStep = step;
    const bytes = isSaved ? undefined : await trainer.checkpoint();
    const isElsewhere =
      goesOn?.metrics !== undefined && (await real(goesOn.metrics)) !== (await real(this.#metrics.path));
    const source = isElsewhere ? goesOn?.metrics : this.#metrics.path;
    const found = goesOn?.metrics === undefined ? undefined : await scanMetrics(goesOn.metrics, step);
    if (step > 0 && goesOn?.metrics !== undefined && !(await isThere(goesOn.metrics)))
      remark(`${source}: no such file. Metrics begin behind step ${step}.`);
    if (found && found.left > 0)
      remark(`${source}: ${counted(found.left, "line")} whose step does not follow the one before: left out.`);
    const metrics = () => (found ? this.#metrics.goOn(step, found, source) : this.#metrics.begin());
    // Another run's metrics must not stand beside this one's model, nor may a model be ahead of its metrics.
    const wasThere = await Promise.all(runFiles.map((name) => isThere(this.file(name))));
    const failures = [
      ...(await this.#configure()),
      ...(isElsewhere ? await attempt(this.#metrics.path, metrics, isFull) : []),
      ...(bytes ? await this.#writeModel(bytes, step, isFull) : []),
      ...(isElsewhere ? [] : await attempt(this.#metrics.path, metrics, isFull)),
    ];
    if (failures.length === 0) {
      this.#metrics.saved();
      this.keep();
      return;
    }
    this.#content = undefined;
    await this.#metrics.close();
    for (const [i, name] of runFiles.entries()) if (!wasThere[i]) await rm(this.file(name), { force: true });
    throw new UnsavedError(
      `${failures.join("; ")}. Nothing was trained: ${makeRoom(bytes?.length ?? 0)} and begin again.`,
    );
  }

  /** Adds lines to the metrics. What cannot be written waits, and is said once. */
  async add(lines: readonly MetricsLine[]): Promise<void> {
    const failures = await attempt(this.#metrics.path, () => this.#metrics.add(lines));
    this.#say(failures);
  }

  /**
   * Brings all that there is onto the disk: the model and the metrics up to its step. Where there is no room for a model,
   * metrics behind the saved one make it, and wait in memory until it is there.
   *
   * @returns what could not be written, in words; the other files are written all the same.
   */
  async save(): Promise<readonly string[]> {
    if (!this.#content) return [];
    const { trainer } = this.#content;
    const bytes = await trainer.checkpoint();
    const { step } = trainer; // of the bytes: that of a device that was lost may have been further
    const settle = () => attempt(this.#metrics.path, () => this.#metrics.settle(step));
    return undivided(this.file("model.safetensors"), async () => {
      const others = await this.#configure(() => true);
      let metrics = this.#metrics.waits ? [] : await settle();
      let model = await this.#writeModel(bytes, step);
      if (model.length > 0 && !this.#metrics.waits) {
        await attempt(this.#metrics.path, () => this.#metrics.giveWay());
        model = await this.#writeModel(bytes, step);
      }
      if (model.length === 0 && this.#metrics.waits) {
        this.#metrics.comeBack();
        metrics = await settle();
      }
      if (model.length === 0 && metrics.length === 0) this.#metrics.saved();
      return [...others, ...metrics, ...model];
    });
  }

  /** @throws {@link UnsavedError} when something could not be written. */
  async finish(): Promise<void> {
    const failures = await this.save();
    const { trainer, command } = this.#content as RunContent;
    const isSaved = this.#savedStep === trainer.step;
    // Those of steps that are to be done again are no loss.
    const lost = this.#metrics.lost + (isSaved ? this.#metrics.waiting : 0);
    if (lost > 0) remark(`${counted(lost, "line")} of metrics.jsonl had no room and are lost.`);
    if (failures.length === 0) return;
    throw new UnsavedError(
      `${failures.join("; ")}. Nothing was left half written; ${this.kept}. To go on, ${makeRoom(this.#modelBytes)}: ${command}`,
    );
  }

  /** Saves in the midst of a run, which goes on whatever could not be written. */
  async saveMeanwhile(): Promise<void> {
    const failures = await this.save();
    this.#say(failures);
    if (failures.length > 0 || this.#said.size === 0) return;
    remark(`Saved again: step ${this.#savedStep}.`);
    this.#said.clear();
  }

  /** Says what could not be written, each file once until all can be again. */
  #say(failures: readonly string[]): void {
    const news = failures.filter((failure) => !this.#said.has(failure));
    for (const failure of news) this.#said.add(failure);
    if (news.length > 0)
      remark(`${news.join("; ")}. Training goes on, and the next save tries again: ${makeRoom(this.#modelBytes)}.`);
  }

  /** Work has begun: the folder stays, also without anything in it. */
  keep(): void {
    this.#isKept = true;
  }

  /** Gives the folder back. */
  [Symbol.dispose](): void {
    this.#metrics.close().catch(() => {});
    this.#release();
    if (!this.#isKept) removeEmpty(this.#made).catch(() => {});
  }

  async #configure(mayFail: (error: unknown) => boolean = isFull): Promise<readonly string[]> {
    const { config } = this.#content as RunContent;
    if (this.#isConfigured) return [];
    const path = this.file("config.json");
    const failures = await attempt(path, () => replaceFile(path, jsonPieces(config, 2)), mayFail);
    this.#isConfigured = failures.length === 0;
    return failures;
  }

  async #writeModel(
    bytes: Uint8Array,
    step: number,
    mayFail?: (error: unknown) => boolean,
  ): Promise<readonly string[]> {
    const path = this.file("model.safetensors");
    this.#modelBytes = bytes.length;
    const failures = await attempt(path, () => replaceFile(path, bytes), mayFail);
    if (failures.length === 0) this.#savedStep = step;
    return failures;
  }
}

/** Temporary files of a run's files, of this version and of those before. */
const leftFile = new RegExp(`^\\.(${runFiles.join("|").replaceAll(".", "\\.")})\\.(.+\\.)?[0-9a-f]{12}\\.tmp$`);

/** What went wrong with a file, if something did. */
async function attempt(
  path: string,
  write: () => Promise<void>,
  mayFail: (error: unknown) => boolean = () => true,
): Promise<readonly string[]> {
  try {
    await write();
    return [];
  } catch (error) {
    if (mayFail(error)) return [`${path}: ${reasonOf(error)}`];
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function removeEmpty(folders: readonly string[]): Promise<void> {
  for (const folder of folders.toReversed()) await rmdir(folder).catch(() => {}); // one that is not empty stays
}
