/**
 * Writing files so that nothing is lost, for the library and the command alike: into a temporary file in the target's
 * folder, onto the disk, then renamed. It imports nothing: the library takes the platform's modules where it finds them.
 */

/** What a file is made of: at once, or in pieces where a string could not hold it. */
export type Content = Uint8Array | string | Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>;

interface FileHandle {
  writeFile(content: Content): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** What is used of node:fs/promises, which Deno has too. */
export interface FileSystem {
  stat(path: string): Promise<{ isFile(): boolean; readonly mode: number }>;
  readlink(path: string): Promise<string>;
  open(path: string, flags?: string, mode?: number): Promise<FileHandle>;
  chmod(path: string, mode: number): Promise<void>;
  writeFile(path: string, content: Content): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
}

/** What is used of node:path. */
export interface Paths {
  basename(path: string): string;
  dirname(path: string): string;
  isAbsolute(path: string): boolean;
}

/**
 * Writes all of `content` or nothing: a full disk or a crash leaves the old file as it was, and when this is done the new
 * one is on the disk. A link stays one, and what it points to is replaced; a replaced file's mode is kept; a device or a
 * pipe is written to.
 *
 * @param temporaryOf - the path of a temporary file, from the target's folder and name.
 * @throws what the file system throws.
 */
export async function replaceFile(
  [files, paths]: readonly [FileSystem, Paths],
  path: string,
  content: Content,
  temporaryOf: (folder: string, name: string) => string,
): Promise<void> {
  const old = await files.stat(path).catch((error) => {
    if (codeOf(error) === "ELOOP") throw error; // the way along its links has no end
    return undefined;
  });
  if (old && !old.isFile()) return files.writeFile(path, content);
  let target = path;
  for (;;) {
    const next = await files.readlink(target).catch(() => {});
    if (!next) break; // no link, or nothing there
    target = paths.isAbsolute(next) ? next : `${paths.dirname(target)}/${next}`;
  }
  const folder = paths.dirname(target);
  const temporary = temporaryOf(folder, paths.basename(target));
  const mode = old && old.mode & 0o7777;
  try {
    const file = await files.open(temporary, "wx", mode);
    try {
      // Opening takes the umask off. Where a file system refuses, what is left is less than the mode.
      if (mode !== undefined) await files.chmod(temporary, mode).catch(() => {});
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(temporary, target);
    await syncFolder(files.open, folder);
  } catch (error) {
    await files.unlink(temporary).catch(() => {}); // it may not be there; the first error is what matters
    throw error;
  }
}

/** Puts a folder's names onto the disk. Some systems, such as Windows, have no such thing, and some file systems refuse. */
export async function syncFolder(open: FileSystem["open"], path: string): Promise<void> {
  const folder = await open(path).catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

const codeOf = (error: unknown) => (error as { readonly code?: string } | undefined)?.code;

/** Whether there was no room: with time there may be. */
export function isFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes(String(codeOf(error)));
}

/** What a failed file operation means, in words. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  switch (code) {
    case "ENOENT":
      return "no such file";
    case "EISDIR":
      return "a directory";
    case "EACCES":
    case "EPERM":
      return "no permission";
    case "EROFS":
      return "a read-only file system";
    case "ENOTDIR":
    case "EEXIST":
      return "a path through a file";
    case "ENOSPC":
    case "EDQUOT":
      return "the disk is full";
    default:
      return code ?? String(error);
  }
}
