/** Files from models and trainers, wherever this runs: written in Node and Deno, downloaded in a browser. */
import { ConfigError, UnsupportedError } from "../errors.ts";
import { partOption } from "../graph/options.ts";
import type { Model, Trainer } from "./api.ts";

/** What is used of Node's file system, which Deno has too. The core imports no module of any platform. */
interface FileSystem {
  open(
    path: string,
    flags: string,
  ): Promise<{ writeFile(bytes: Uint8Array): Promise<void>; sync(): Promise<void>; close(): Promise<void> }>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
}

/**
 * Saves a model, or a trainer with all that {@link resume} needs, as a safetensors file.
 *
 * In Node (from 20.16) and Deno `path` is written whole or not at all: a temporary file beside it takes its place in
 * the end, and what was there stays until then. On a page it is a download of that name.
 *
 * @throws {@link UnsupportedError} where there are neither files nor downloads, such as in a worker: use
 * `checkpoint()` there, which gives the bytes. What the file system throws, as it is.
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
    process?: { getBuiltinModule?: (name: string) => FileSystem | undefined };
    document?: Document;
  };
  const files = process?.getBuiltinModule?.("node:fs/promises");
  if (!files && !document) {
    throw new UnsupportedError({
      subject: "save",
      given: "a platform without files and downloads",
      expected: "Node from 20.16, Deno or a page",
      remedy: "Take the bytes of checkpoint() and store them yourself.",
    });
  }
  const bytes = await saved.checkpoint();
  if (files) await replaceFile(files, path, bytes);
  else download(document as Document, path, bytes);
}

async function replaceFile(files: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    const file = await files.open(temporary, "wx");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(temporary, path);
  } catch (error) {
    await files.unlink(temporary).catch(() => {}); // it may not be there; the first error is what matters
    throw error;
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
