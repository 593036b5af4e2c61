/** Files that `save` writes in Node and Deno. Imported where there are such: pages do without. */
import { ConfigError, LimitError } from "../errors.ts";
import { type FileSystem, isFull, type Paths, reasonOf, replaceFile } from "../replace-file.ts";

/**
 * @param module - gives Node's modules by name.
 * @throws {@link ConfigError} when there can be no such file, {@link LimitError} when the disk is full.
 */
export async function writeFile(module: (name: string) => unknown, path: string, bytes: Uint8Array): Promise<void> {
  const platform = [module("node:fs/promises") as FileSystem, module("node:path") as Paths] as const;
  try {
    await replaceFile(platform, path, bytes, (folder) => `${folder}/.${crypto.randomUUID()}.tmp`);
  } catch (cause) {
    const isMissing = (cause as { readonly code?: string }).code === "ENOENT";
    const given = isMissing ? "a folder that does not exist" : reasonOf(cause);
    const facts = { subject: `path of save, ${path}`, given, expected: "a file to write" };
    const options = { cause };
    if (isFull(cause)) throw new LimitError({ ...facts, remedy: "Make room, or name another disk." }, options);
    throw new ConfigError({ ...facts, remedy: "Name a file in a folder that exists, where you may write." }, options);
  }
}
