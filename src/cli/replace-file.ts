/**
 * Writing files so that nothing is lost, by processes that may be ended at any moment. All of the command's files are
 * written here, but for metrics.jsonl, which grows.
 */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import * as files from "node:fs/promises";
import { readdir, realpath, rm, stat } from "node:fs/promises";
import * as paths from "node:path";
import { basename, dirname, join } from "node:path";
import { type Content, type FileSystem, replaceFile as replace } from "../replace-file.ts";
import { isShortMarkRunning, ownMark, shortMark } from "./processes.ts";

/**
 * Writes all of `content` or nothing: a full disk, a crash or Ctrl-C leaves the old file as it was, and when this is done
 * the new one is on the disk. A link stays one, and what it points to is replaced; a device or a pipe is written to. Who may
 * read and write the file stays as it was.
 *
 * @throws what the file system throws, with this path: errors of writing have none, others the temporary file's.
 */
export async function replaceFile(path: string, content: Content): Promise<void> {
  let temporary: string | undefined;
  const removeIt = () => temporary && rmSync(temporary, { force: true });
  process.once("exit", removeIt); // a signal may end the process at once
  try {
    await replace([files as FileSystem, paths], path, content, (folder, name) => {
      temporary = `${folder}/${beginningOf(name)}${shortMark(ownMark())}.${randomBytes(6).toString("hex")}.tmp`;
      return temporary;
    });
  } catch (error) {
    throw error instanceof Error && "code" in error && "syscall" in error ? Object.assign(error, { path }) : error;
  } finally {
    process.off("exit", removeIt);
  }
}

/** What names of a target's temporary files begin with; names have 255 bytes at most. */
const beginningOf = (target: string) => `.${basename(target).slice(0, 40)}.`;

/** Milliseconds without a change after which a temporary file of another machine's process counts as left. */
const LEFT_AFTER = 3_600_000;

/** Removes temporary files of a target whose processes were killed. */
export async function removeLeftovers(path: string): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const folder = dirname(target);
  const beginning = beginningOf(target);
  for (const name of await readdir(folder).catch(() => [])) {
    const mark = name.startsWith(beginning) && /^([0-9a-f-]+)\.[0-9a-f]{12}\.tmp$/.exec(name.slice(beginning.length));
    if (!mark) continue;
    const file = join(folder, name);
    const running = isShortMarkRunning(mark[1] as string) ?? (await isFresh(file));
    if (!running) await rm(file, { force: true }).catch(() => {});
  }
}

async function isFresh(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs < LEFT_AFTER;
}
