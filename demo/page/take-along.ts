/** What a visitor takes along: a link, the program of this run, its settings, samples, pictures, both models. */
import { type Kept, type Settings, type Side, sides } from "../messages.ts";
import { codeOf } from "../share/code.ts";
import {
  codeFile,
  type FileToSave,
  frameOf,
  gifFile,
  modelFile,
  npzFile,
  pngFile,
  save,
  settingsFile,
} from "../share/files.ts";
import type { Frame } from "../share/gif.ts";
import { linkOf } from "../share/link.ts";
import type { SharedRun, SharedSampler, SharedView } from "../share/run.ts";
import { element } from "./elements.ts";
import type { Shown } from "./shown.ts";

export interface TakeAlong {
  readonly settings: () => Settings | undefined;
  readonly sampler: () => SharedSampler;
  readonly view: () => SharedView;
  readonly shown: () => Readonly<Record<Side, Shown>>;
  readonly titles: () => Readonly<Record<Side, string>>;
  /** The colour that pictures stand on. */
  readonly ground: () => string;
  /** Shows the pictures at a time, and gives when they are drawn. */
  readonly showAt: (t: number) => Promise<void>;
  /** The time that is shown. */
  readonly time: () => number;
  /** Asks the worker for both models. */
  readonly ask: () => void;
}

/** Times of a film, and how long each is shown. */
const FILM_FRAMES = 31;
const FILM_MILLISECONDS = 100;
const HELD_MILLISECONDS = 1500;
/** Of each picture, in pixels. */
const FILM_WIDTH = 320;

/** Wires the buttons; what is given back takes the models when they come. */
export function offerTakeAlong(from: TakeAlong): (models: readonly Kept[]) => void {
  let wanted: "model" | "page" = "model";
  const actions: Record<string, () => Promise<string> | string> = {
    link: () => copyLink(runNow(from)),
    code: async () => {
      const run = runNow(from);
      const steps = Math.max(1000, ...sides.map((side) => from.shown()[side].step));
      const batchSize = from.settings()?.batchSize;
      const code = codeOf(run, { steps, ...(batchSize === undefined ? {} : { batchSize }) });
      if (await copied(code))
        return "The program is copied: paste it into run.ts, and run it after npm install divflow.";
      save(codeFile(code));
      return "The program is saved as run.ts.";
    },
    settings: () => saved(settingsFile(runNow(from))),
    samples: () => saved(npzFile(samplesOf(from.shown()))),
    picture: async () => saved(await pngFile(sideBySide(), from.ground())),
    film: async () => saved(await film(from)),
    models: () => request("model"),
    page: () => request("page"),
  };
  const request = (kind: typeof wanted) => {
    wanted = kind;
    from.ask();
    return "The models are on their way.";
  };
  for (const [name, act] of Object.entries(actions)) {
    element(`take-${name}`).addEventListener("click", async () => {
      const button = element<HTMLButtonElement>(`take-${name}`);
      button.disabled = true;
      try {
        say(await act());
      } catch (error) {
        say(error instanceof Error ? error.message : String(error));
      }
      button.disabled = false;
    });
  }
  return (models) => void hand(models, wanted, from.titles()).then(say, (error: Error) => say(error.message));
}

function say(words: string): void {
  element("take-status").textContent = words;
}

/** @throws Error with a sentence, of data that no link or program holds. */
function runNow({ settings, sampler, view }: TakeAlong): SharedRun {
  const now = settings();
  if (!now) throw new Error("Nothing is prepared yet.");
  const { data, batchSize: _, ...rest } = now;
  if (data.kind !== "table") return { ...rest, data, sampler: sampler(), view: view() };
  throw new Error(
    "Your table is yours: links, programs and settings hold named sets and drawings only. Models and samples can be had.",
  );
}

async function copyLink(run: SharedRun): Promise<string> {
  const { hash, note = "" } = linkOf(run);
  const address = `${location.origin}${location.pathname}${hash}`;
  history.replaceState(null, "", hash);
  const words = (await copied(address)) ? "The link is copied." : "The link is in the address bar.";
  return `${words} ${note}`.trim();
}

async function copied(text: string): Promise<boolean> {
  return navigator.clipboard.writeText(text).then(
    () => true,
    () => false, // not allowed here
  );
}

function saved(file: FileToSave): string {
  save(file);
  return `Saved as ${file.name}.`;
}

function samplesOf(shown: Readonly<Record<Side, Shown>>) {
  const arrays = sides.flatMap((side) => {
    const frames = shown[side].frames;
    if (!frames) return [];
    const values = frames.particles.slice(-frames.particles.length / frames.times.length);
    return [[side, { values, shape: [values.length / 2, 2] }] as const];
  });
  if (arrays.length === 0) throw new Error("No samples are drawn yet.");
  return Object.fromEntries(arrays);
}

/** Both pictures on one canvas. */
function sideBySide(): HTMLCanvasElement {
  const pictures = sides.map((side) => element<HTMLCanvasElement>(side));
  const both = document.createElement("canvas");
  const gap = Math.round(pictures[0]!.width / 40);
  both.width = pictures.reduce((sum, { width }) => sum + width, gap);
  both.height = Math.max(...pictures.map(({ height }) => height));
  const context = both.getContext("2d") as CanvasRenderingContext2D;
  let left = 0;
  for (const picture of pictures) {
    context.drawImage(picture, left, 0);
    left += picture.width + gap;
  }
  return both;
}

/** From noise to data. */
async function film({ showAt, time, ground }: TakeAlong): Promise<FileToSave> {
  const before = time();
  const frames: Frame[] = [];
  try {
    for (let i = 0; i < FILM_FRAMES; i++) {
      await showAt(i / (FILM_FRAMES - 1));
      frames.push(frameOf(sideBySide(), ground(), 2 * FILM_WIDTH));
      say(`The film is made: ${Math.round((100 * (i + 1)) / FILM_FRAMES)} %.`);
    }
  } finally {
    await showAt(before);
  }
  return gifFile(frames, { milliseconds: FILM_MILLISECONDS, lastMilliseconds: HELD_MILLISECONDS });
}

async function hand(
  models: readonly Kept[],
  wanted: "model" | "page",
  titles: Readonly<Record<Side, string>>,
): Promise<string> {
  if (models.length === 0) return "There is no model yet: train a little.";
  const files = await Promise.all(
    models.map(async ({ side, bytes, step }) => {
      const title = `${side}, ${titles[side]}`;
      return wanted === "model" ? modelFile(title, bytes) : pageFile(`${titles[side]}, ${step} steps`, title, bytes);
    }),
  );
  for (const file of files) save(file);
  return `Saved as ${files.map(({ name }) => name).join(" and ")}.`;
}

/** The library's page of a model, which few visitors want: it is downloaded then. */
async function pageFile(heading: string, name: string, bytes: Uint8Array): Promise<FileToSave> {
  const { exportHtml } = await import("divflow/html");
  const page = await exportHtml(bytes, { title: heading });
  const file = modelFile(name, new TextEncoder().encode(page));
  return { ...file, name: file.name.replace(/\.safetensors$/, ".html"), type: "text/html" };
}
