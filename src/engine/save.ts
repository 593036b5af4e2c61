/** Files from models and trainers, wherever this runs: written in Node and Deno, downloaded in a browser. */
import { onDemand } from "../backends/on-demand.ts";
import { ConfigError, UnsupportedError } from "../errors.ts";
import { partOption } from "../graph/options.ts";
import type { Model } from "./api.ts";

/**
 * Saves a model, a trainer with all that {@link resume} needs, or a posterior, as a safetensors file.
 *
 * In Node (from 20.16) and Deno `path` is written whole or not at all: a temporary file beside it takes its place in
 * the end, and what was there stays until then; its mode is kept, a link is followed, a device or a pipe is written to. On a
 * page it is a download of that name.
 *
 * @throws {@link ConfigError} when there can be no such file, {@link LimitError} when the disk is full; `cause` is what the
 * file system threw. {@link UnsupportedError} where there are neither files nor downloads, such as in a worker: use
 * `checkpoint()` there, which gives the bytes.
 */
export async function save(saved: Pick<Model, "checkpoint">, path: string): Promise<void> {
  partOption("what save is given", saved, "checkpoint", "createTrainer() or load()");
  if (typeof path !== "string" || path === "") {
    throw new ConfigError({
      subject: "path of save",
      given: path ?? String(path),
      expected: "the name of a file",
      remedy: 'Give text, such as "model.safetensors".',
    });
  }
  const { document } = globalThis as { document?: Document };
  const module = builtInModules();
  if (!module && !document) {
    throw new UnsupportedError({
      subject: "save",
      given: "a platform without files and downloads",
      expected: "Node from 20.16, Deno or a page",
      remedy: "Take the bytes of checkpoint() and store them yourself.",
    });
  }
  const bytes = await saved.checkpoint();
  if (module) await (await onDemand(fileWriter())).writeFile(module, path, bytes);
  else download(document as Document, path, bytes);
}

/** Node's modules by name, where there are such. */
function builtInModules(): ((name: string) => unknown) | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  return process?.getBuiltinModule && ((name) => process.getBuiltinModule?.(name));
}

const fileWriter = () => import("./write-file.ts");

/** Has what writes files there before any is to be saved: by then divflow's own may be gone, by an update say. */
export function prepareToSave(): void {
  if (builtInModules()) fileWriter().catch(() => {}); // save says so
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
