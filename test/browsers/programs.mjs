/** Programs that a system may have. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * The path of the first of the names that is on PATH.
 * @param {string[]} names
 */
export function programNamed(...names) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
}
