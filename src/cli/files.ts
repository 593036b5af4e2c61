/** Reading files, and what can be found out of places to write to before there is something to write. */
import { constants } from "node:fs";
import { access, mkdir, open, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { ConfigError, DataError, LimitError } from "../index.ts";
import { reasonOf, syncFolder } from "../replace-file.ts";

export { isFull, reasonOf } from "../replace-file.ts";

/** What to do about files that could not be written, one of so many bytes among them. */
export function makeRoom(bytes: number): string {
  return `free ${(Math.ceil(bytes / 1e5) / 10).toFixed(1)} MB`;
}

/** Bytes read at once: Node's own readFile ends at 2 GiB, and points may well be more. */
const PIECE = 1 << 28;

/** The bytes of a file; DataError when it cannot be read, LimitError when it is more than memory holds. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path);
    try {
      const kind = await file.stat();
      // A pipe has no size, and what /proc shows has one of 0.
      if (!kind.isFile() || kind.size === 0) return new Uint8Array(await file.readFile());
      const bytes = bytesFor(path, kind.size);
      let length = 0;
      for (let more = PIECE; more > 0 && length < bytes.length; length += more) {
        more = (await file.read(bytes, length, Math.min(PIECE, bytes.length - length), length)).bytesRead;
      }
      return bytes.subarray(0, length);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof LimitError) throw error;
    throw await unreadable(path, error);
  }
}

/** Refuses, before anything is made, an input that is not there, or is a folder. */
export async function checkInput(path: string): Promise<void> {
  try {
    const file = await open(path);
    const isFolder = (await file.stat()).isDirectory();
    await file.close();
    if (isFolder) throw Object.assign(new Error(`${path} is a folder`), { code: "EISDIR" });
  } catch (error) {
    throw await unreadable(path, error);
  }
}

/** Why a file could not be read. */
export async function unreadable(path: string, cause: unknown): Promise<DataError> {
  const remedy = (await modelIn(path)) ?? "Check the path.";
  return new DataError({ subject: path, given: reasonOf(cause), expected: "a readable file", remedy }, { cause });
}

/** What to name instead of the folder of a run or comparison. */
async function modelIn(folder: string): Promise<string | undefined> {
  for (const name of ["model.safetensors", "fdm/model.safetensors"]) {
    const file = join(folder, name);
    if ((await stat(file).catch(() => undefined))?.isFile()) return `Try ${file}.`;
  }
  return undefined;
}

function bytesFor(path: string, size: number): Uint8Array {
  try {
    return new Uint8Array(size);
  } catch (cause) {
    throw new LimitError(
      {
        subject: path,
        given: `${(size / 2 ** 30).toFixed(1)} GiB`,
        expected: "a file that fits into memory",
        remedy: "Split it, or keep fewer rows or columns; a .npy file in f32 is smaller than the same numbers as text.",
      },
      { cause },
    );
  }
}

/** Refuses, before any work, a target that is a directory, cannot be written, or whose folder is missing. */
export async function checkTarget(option: string, path: string): Promise<void> {
  const refuse = (given: string, remedy: string) => {
    throw new ConfigError({ subject: `${option} ${path}`, given, expected: "a file to write", remedy });
  };
  if (path === "") refuse("nothing", "Name a file.");
  const target = await stat(path).catch(() => undefined);
  if (target?.isDirectory()) refuse("a directory", "Name a file inside it.");
  const folder = dirname(path);
  const made = await stat(folder).catch(() => undefined);
  if (!made?.isDirectory()) refuse("a folder that does not exist", `Make ${folder} first.`);
  // A device or a pipe is written as it is; everything else is a new file in the folder.
  const written = target && !target.isFile() ? path : folder;
  await access(written, constants.W_OK).catch((error) =>
    refuse(reasonOf(error), "Name a place that you may write to."),
  );
}

/**
 * Refuses, before any work, a run folder that cannot be made or written to, or in which there are folders in the places of
 * these files. Makes nothing.
 */
export async function checkFolder(option: string, path: string, files: readonly string[]): Promise<void> {
  try {
    const { nearest } = await missingFolders(path);
    await access(nearest, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw noFolder(option, path, error);
  }
  for (const name of files) {
    const found = await stat(join(path, name)).catch(() => undefined);
    if (!found?.isDirectory()) continue;
    throw new ConfigError({
      subject: `${option} ${path}`,
      given: `a folder named ${name} in it`,
      expected: "a file of this name, or none",
      remedy: "Move it away, or name another folder.",
    });
  }
}

/** Makes a run folder and gives those that were not there, from the top; ConfigError when that cannot be. */
export async function makeFolder(option: string, path: string): Promise<readonly string[]> {
  try {
    const { missing } = await missingFolders(path);
    // One by one: Node's recursive mkdir never ends where a folder exists in which none can be made, such as /proc.
    for (const folder of missing) {
      await mkdir(folder).catch(async (error: NodeJS.ErrnoException) => {
        // Another process has just made it, such as the job beside this one.
        const isThere = error.code === "EEXIST" && (await stat(folder).catch(() => undefined))?.isDirectory();
        if (!isThere) throw error;
      });
      await syncFolder(open, dirname(folder));
    }
    return missing;
  } catch (error) {
    throw noFolder(option, path, error);
  }
}

/** The nearest folder on the way to `path` that exists, and those below it that do not, from the top. */
async function missingFolders(path: string): Promise<{ nearest: string; missing: string[] }> {
  const missing: string[] = [];
  for (let nearest = resolve(path); ; nearest = dirname(nearest)) {
    const found = await stat(nearest).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (found?.isDirectory()) return { nearest, missing };
    if (found) throw Object.assign(new Error(`${nearest} is a file`), { code: "ENOTDIR" });
    missing.unshift(nearest);
  }
}

export function noFolder(option: string, path: string, cause: unknown): ConfigError {
  return new ConfigError(
    { subject: `${option} ${path}`, given: reasonOf(cause), expected: "a folder", remedy: "Name another folder." },
    { cause },
  );
}
