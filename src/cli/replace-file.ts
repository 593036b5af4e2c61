/**
 * Writing files so that nothing is lost: into a temporary file beside the target, onto the disk, then renamed. All of the
 * command's files are written here, but for metrics.jsonl, which grows.
 */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { open, readdir, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isShortMarkRunning, ownMark, shortMark } from "./processes.ts";

/** What a file is made of: at once, or in pieces where a string could not hold it. */
export type Content = Uint8Array | string | Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>;

/**
 * Writes all of `content` or nothing: a full disk, a crash or Ctrl-C leaves the old file as it was, and when this is done
 * the new one is on the disk. A link stays one, and what it points to is replaced; a device or a pipe is written to. Who may
 * read and write the file stays as it was.
 *
 * @throws what the file system throws, with this path: errors of writing have none, others the temporary file's.
 */
export async function replaceFile(path: string, content: Content): Promise<void> {
  try {
    await replace(path, content);
  } catch (error) {
    throw error instanceof Error && "code" in error && "syscall" in error ? Object.assign(error, { path }) : error;
  }
}

async function replace(path: string, content: Content): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const kind = await stat(target).catch(() => undefined);
  if (kind && !kind.isFile()) return writeFile(target, content);
  const temporary = join(
    dirname(target),
    `${beginningOf(target)}${shortMark(ownMark())}.${randomBytes(6).toString("hex")}.tmp`,
  );
  const removeIt = () => rmSync(temporary, { force: true });
  process.once("exit", removeIt); // a signal may end the process at once
  try {
    const file = await open(temporary, "wx", kind?.mode);
    try {
      if (kind) await file.chmod(kind.mode & 0o7777); // what the process's mask took away
      await writeFile(file, content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
    await syncFolder(dirname(target));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    process.off("exit", removeIt);
  }
}

/** Puts a folder's names onto the disk. Some systems, such as Windows, have no such thing, and some file systems refuse. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path).catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
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
