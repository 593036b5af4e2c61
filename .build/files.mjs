/** What the build scripts share: where the checkout is, listing files, hashing and replacing them. */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Unpacked browsers and the like; `npm ci` clears it with the rest of node_modules. */
export const cache = join(root, "node_modules", ".cache", "divflow");

/**
 * Every file under a folder of the checkout whose name ends so, sorted; none when the folder is missing.
 * @param {string} folder - relative to the root.
 * @param {string} ending - such as ".wgsl".
 * @returns {Promise<string[]>} paths relative to the root, with forward slashes.
 */
export async function filesUnder(folder, ending) {
  try {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
      .sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/**
 * A digest of the names and contents of files and of anything else that decides an output, such as a version.
 * @param {string[]} files - relative to the root.
 * @param {string[]} [others]
 */
export async function digest(files, others = []) {
  const hash = createHash("sha256");
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(await readFile(join(root, file)))
      .update("\0");
  for (const other of others) hash.update(`${other}\0`);
  return hash.digest("hex").slice(0, 16);
}

/**
 * The version of an installed package.
 * @param {string} name
 * @returns {string}
 */
export function versionOf(name) {
  return createRequire(import.meta.url)(join(root, "node_modules", name, "package.json")).version;
}

/**
 * Writes a file whole or not at all, so that no reader meets half of it.
 * @param {string} file - relative to the root.
 * @param {string} text
 */
export async function replaceFile(file, text) {
  const path = join(root, file);
  const temporary = `${path}.${process.pid}.tmp`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(temporary, text);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * The text of a file of the checkout, or undefined when there is none.
 * @param {string} file - relative to the root.
 */
export async function textOf(file) {
  try {
    return await readFile(join(root, file), "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** @param {unknown} error */
export function isMissing(error) {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/** Whether there is no such file to read, whatever stands in its place. @param {unknown} error */
export function isNoFile(error) {
  const none = ["ENOENT", "ENOTDIR", "EISDIR", "ENAMETOOLONG", "ELOOP", "EACCES", "ERR_INVALID_ARG_VALUE"];
  return error instanceof Error && "code" in error && none.includes(`${error.code}`);
}
