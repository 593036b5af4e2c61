/** Files from models and trainers, wherever this runs: written in Node and Deno, downloaded in a browser. */
import { ConfigError, LimitError, UnsupportedError } from "../errors.ts";
import { partOption } from "../graph/options.ts";
import { type FileSystem, isFull, type Paths, reasonOf, replaceFile } from "../replace-file.ts";
import type { Model, Trainer } from "./api.ts";

/**
 * Saves a model, or a trainer with all that {@link resume} needs, as a safetensors file.
 *
 * In Node (from 20.16) and Deno `path` is written whole or not at all: a temporary file beside it takes its place in
 * the end, and what was there stays until then; its mode is kept, a link is followed, a device or a pipe is written to. On a
 * page it is a download of that name.
 *
 * @throws {@link ConfigError} when there can be no such file, {@link LimitError} when the disk is full; `cause` is what the
 * file system threw. {@link UnsupportedError} where there are neither files nor downloads, such as in a worker: use
 * `checkpoint()` there, which gives the bytes.
 */
export async function save(saved: Model | Trainer, path: string): Promise<void> {
  partOption("what save is given", saved, "checkpoint", "createTrainer() or load()");
  if (typeof path !== "string" || path === "") {
    throw new ConfigError({
      subject: "path of save",
      given: path ?? String(path),
      expected: "the name of a file",
      remedy: 'Give text, such as "model.safetensors".',
    });
  }
  const { process, document } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => unknown };
    document?: Document;
  };
  const [files, paths] = ["fs/promises", "path"].map((name) => process?.getBuiltinModule?.(`node:${name}`));
  if (!files && !document) {
    throw new UnsupportedError({
      subject: "save",
      given: "a platform without files and downloads",
      expected: "Node from 20.16, Deno or a page",
      remedy: "Take the bytes of checkpoint() and store them yourself.",
    });
  }
  const bytes = await saved.checkpoint();
  if (files) await write([files as FileSystem, paths as Paths], path, bytes);
  else download(document as Document, path, bytes);
}

async function write(platform: readonly [FileSystem, Paths], path: string, bytes: Uint8Array): Promise<void> {
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

function download(document: Document, path: string, bytes: Uint8Array): void {
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = path.split(/[\\/]/).at(-1) || "model.safetensors";
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), DOWNLOAD_MILLISECONDS);
}

/** How long a browser has to take up a download before its bytes go. */
const DOWNLOAD_MILLISECONDS = 60_000;
