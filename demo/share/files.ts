/** What a visitor takes along, as files. */
import { type ArrayToWrite, writeNpz } from "divflow/data";
import { type Frame, type GifOptions, gifOf } from "./gif.ts";
import { faultOf, type SharedRun } from "./run.ts";

export interface FileToSave {
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What files of settings say they are. */
const KIND = "divflow settings";

const text = (name: string, type: string, words: string): FileToSave => ({
  ...{ name, type },
  bytes: new TextEncoder().encode(words),
});

export function settingsFile(run: SharedRun): FileToSave {
  return text("settings.json", "application/json", `${JSON.stringify({ kind: KIND, form: 1, run }, null, 2)}\n`);
}

/**
 * The run in a file of settings.
 *
 * @throws Error with a sentence for the visitor, of any other text.
 */
export function settingsIn(words: string): SharedRun {
  let parsed: unknown;
  try {
    parsed = JSON.parse(words);
  } catch (cause) {
    throw new Error("This file is no JSON: choose one of settings, as this page saves them.", { cause });
  }
  const { kind, run } = Object(parsed) as { kind?: unknown; run?: SharedRun };
  if (kind !== KIND || !hasParts(run)) throw new Error("This file holds no settings of this page.");
  const fault = faultOf(run);
  if (fault) throw new Error(`This file asks for ${fault}, which this page has not.`);
  return run;
}

/** Whether all parts are there, whose values are checked then. */
function hasParts(run: unknown): run is SharedRun {
  const { data, weights, sampler, view = {} } = Object(run) as Partial<SharedRun>;
  const { kind, points, title } = Object(data) as { kind?: unknown; points?: unknown; title?: unknown };
  const isInk = kind === "ink" && Array.isArray(points) && points.every(Number.isFinite) && typeof title === "string";
  return (kind === "named" || isInk) && [weights, sampler, view].every((part) => Object(part) === part);
}

export function codeFile(code: string): FileToSave {
  return text("run.ts", "text/typescript", code);
}

/** Arrays by name, such as samples of both models, as NumPy reads them. */
export function npzFile(arrays: Readonly<Record<string, ArrayToWrite>>): FileToSave {
  return { name: "samples.npz", type: "application/zip", bytes: Uint8Array.from(writeNpz(arrays)) };
}

/** A model, as its `checkpoint()` gives it. */
export function modelFile(name: string, bytes: Uint8Array): FileToSave {
  const plain = name.toLowerCase().replace(/[^a-z0-9.]+/g, "-");
  return { name: `${plain}.safetensors`, type: "application/octet-stream", bytes: Uint8Array.from(bytes) };
}

export function gifFile(frames: readonly Frame[], options?: GifOptions): FileToSave {
  return { name: "divflow.gif", type: "image/gif", bytes: gifOf(frames, options) };
}

/**
 * A canvas as a PNG, on a ground of this colour: what a page draws is transparent where nothing is.
 *
 * @throws Error where the browser makes none, as of a canvas of no size.
 */
export async function pngFile(canvas: HTMLCanvasElement, ground: string): Promise<FileToSave> {
  const copy = grounded(canvas, ground);
  const blob = await new Promise<Blob | null>((resolve) => copy.toBlob(resolve, "image/png"));
  if (!blob) throw new Error("This browser made no picture of it.");
  return { name: "divflow.png", type: "image/png", bytes: new Uint8Array(await blob.arrayBuffer()) };
}

/** What a canvas shows now, as a frame of a GIF of at most this width. */
export function frameOf(canvas: HTMLCanvasElement, ground: string, mostWide = 480): Frame {
  const copy = grounded(canvas, ground, Math.min(1, mostWide / canvas.width));
  const context = copy.getContext("2d") as CanvasRenderingContext2D;
  return context.getImageData(0, 0, copy.width, copy.height);
}

function grounded(canvas: HTMLCanvasElement, ground: string, scale = 1): HTMLCanvasElement {
  const copy = document.createElement("canvas");
  copy.width = Math.round(scale * canvas.width);
  copy.height = Math.round(scale * canvas.height);
  const context = copy.getContext("2d") as CanvasRenderingContext2D;
  context.fillStyle = ground;
  context.fillRect(0, 0, copy.width, copy.height);
  context.drawImage(canvas, 0, 0, copy.width, copy.height);
  return copy;
}

/** Hands a file to whoever reads the page. */
export function save({ name, type, bytes }: FileToSave): void {
  const link = document.createElement("a");
  link.download = name;
  link.href = URL.createObjectURL(new Blob([bytes], { type }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // not before the browser has read it
}
