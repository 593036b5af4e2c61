/** Reading and writing files so that nothing is lost: writes go to a temporary file beside the target, then rename. */
import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ConfigError, DataError } from "../index.ts";

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case "ENOENT":
      return "no such file";
    case "EISDIR":
      return "a directory";
    case "EACCES":
    case "EPERM":
      return "no permission";
    case "ENOTDIR":
      return "a path through a file";
    default:
      return code ?? String(error);
  }
}

/** The bytes of a file; DataError when it cannot be read. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    throw new DataError(
      { subject: path, given: reason(error), expected: "a readable file", remedy: "Check the path." },
      { cause: error },
    );
  }
}

/** Refuses, before any work, a target that is a directory or whose folder is missing. */
export async function checkTarget(option: string, path: string): Promise<void> {
  const refuse = (given: string, remedy: string) => {
    throw new ConfigError({ subject: `${option} ${path}`, given, expected: "a file to write", remedy });
  };
  const target = await stat(path).catch(() => undefined);
  if (target?.isDirectory()) refuse("a directory", "Name a file inside it.");
  const folder = await stat(dirname(path)).catch(() => undefined);
  if (!folder?.isDirectory()) refuse("a folder that does not exist", `Make ${dirname(path)} first.`);
}

/** Makes a run folder; ConfigError when a file is in the way. */
export async function makeFolder(option: string, path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw new ConfigError(
      { subject: `${option} ${path}`, given: reason(error), expected: "a folder", remedy: "Name another folder." },
      { cause: error },
    );
  }
}

/** Writes all of `content` or nothing: a full disk or a crash leaves the old file as it was. */
export async function replaceFile(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    await writeFile(temporary, content, { flag: "wx" });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
