/** One process to a run folder: a file in it names the one that writes there, and goes with it. */
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { link, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ConfigError } from "../index.ts";
import { isFull } from "./files.ts";
import { remark } from "./output.ts";
import { isRunning, ownMark, type ProcessMark } from "./processes.ts";

/** The lock's name in a run folder. */
export const LOCK = ".divflow.lock";

/** Milliseconds between signs of life of who holds a lock. */
const SIGN_EVERY = 5000;

/**
 * Milliseconds without a sign after which a lock of another machine, or container, counts as left behind: whether its
 * process runs can't be asked there. Planning a large program gives none for as long as it takes.
 */
const LEFT_AFTER = 60_000;

/**
 * Takes a folder for this process. What a killed process left does not block.
 *
 * @returns what gives it back; the end of the process does too.
 * @throws {@link ConfigError} when another process holds it.
 */
export async function lockFolder(option: string, folder: string): Promise<() => void> {
  const path = join(folder, LOCK);
  const own = `${JSON.stringify(ownMark())}\n`;
  for (;;) {
    try {
      if (await make(path, own)) break;
    } catch (error) {
      if (isFull(error)) return () => {}; // a run on a full disk goes on, and so do two
      throw error;
    }
    const held = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (held === undefined) continue; // given back meanwhile
    const holder = markIn(held);
    if (holder && (isRunning(holder) ?? (await givesSigns(path, folder)))) throw taken(option, folder, path, holder);
    await remove(path, held);
  }
  const release = () => {
    clearInterval(signs);
    process.off("exit", release);
    try {
      if (readFileSync(path, "utf8") === own) rmSync(path);
    } catch {} // it is gone already, with its folder
  };
  const signs = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, SIGN_EVERY).unref();
  process.on("exit", release);
  return release;
}

/** Makes the lock with all that is in it at once, or finds that there is one. */
async function make(path: string, content: string): Promise<boolean> {
  const temporary = nameBeside(path);
  try {
    await writeFile(temporary, content);
    await link(temporary, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (isFull(error)) throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  // A file system without hard links, or someone who tidied up: whoever looks in between finds an empty lock.
  try {
    await writeFile(path, content, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Removes the lock that was read, but not one that another process has put there since. */
async function remove(path: string, held: string): Promise<void> {
  const aside = nameBeside(path);
  try {
    await rename(path, aside);
    if ((await readFile(aside, "utf8")) !== held) await link(aside, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "EEXIST") throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

const nameBeside = (path: string) => `${path}.${randomBytes(6).toString("hex")}`;

/** What is left of locks that were about to be made or removed. */
export const leftLock = new RegExp(`^${LOCK.replaceAll(".", "\\.")}\\.[0-9a-f]{12}$`);

function markIn(text: string): ProcessMark | undefined {
  try {
    const { host, pid, start } = JSON.parse(text);
    const fits = typeof host === "string" && Number.isSafeInteger(pid) && pid > 0 && typeof start === "string";
    return fits ? { host, pid, start } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the lock of another machine's process is touched while this one watches. */
async function givesSigns(path: string, folder: string): Promise<boolean> {
  remark(
    `${folder} is held by a process of another machine or container: waiting whether it still runs, a minute at most.`,
  );
  const touched = () =>
    stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    );
  const before = await touched();
  for (let waited = 0; waited < LEFT_AFTER; waited += 1000) {
    await pause(1000);
    const now = await touched();
    if (now !== before) return now !== undefined;
  }
  return false;
}

function taken(option: string, folder: string, path: string, { host, pid }: ProcessMark): ConfigError {
  return new ConfigError({
    subject: `${option} ${folder}`,
    given: `a folder that process ${pid} on ${host.split(" ")[0]} is writing to`,
    expected: "a folder of its own for each run",
    remedy: `Wait for that run or name another folder. If there is no such run, remove ${path}.`,
  });
}
