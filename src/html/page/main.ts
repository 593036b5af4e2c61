/** The page of one model: draws samples by its engine, shows them, hands them out. */
import { fromBase64 } from "../base64.ts";
import type { PageFacts } from "../facts.ts";
import { backendOf, buildControls } from "./controls.ts";
import { csvOf, npyOf, saveAs, toldColumns } from "./downloads.ts";
import { byId } from "./elements.ts";
import { lines } from "./lines.ts";
import type { FromEngine, SampleRequest, ToEngine } from "./messages.ts";
import { pictures } from "./pictures.ts";
import { coloursNow, columnNames, type DrawnSamples, type View } from "./samples.ts";
import { histogram, scatter } from "./scatter.ts";
import { tableOf, tableSummary } from "./table.ts";

const facts: PageFacts = JSON.parse(byId("facts").textContent ?? "");
const model = fromBase64(byId("model").textContent ?? "");
const form = byId("controls") as HTMLFormElement;
const canvas = byId("picture") as HTMLCanvasElement;
const BYTES = "application/octet-stream";
const columns = columnNames(facts);
const view = viewOf(facts.shape);
const controls = buildControls(form, facts, download);

/** The last request, by its number; what comes of others is dropped. */
let number = 0;
let asked: SampleRequest | undefined;
let shown: { readonly samples: DrawnSamples; readonly request: SampleRequest } | undefined;
let engine: Worker | undefined;

byId("about").textContent = aboutOf(facts);
(document.querySelector("h1") as HTMLElement).textContent = facts.title;
(byId("numbers") as HTMLDetailsElement).open = view === undefined;
byId("frame").hidden = view === undefined;
byId("rows").tabIndex = 0; // to be scrolled by keys
document.body.dataset["state"] = "starting";

form.addEventListener("submit", (event) => {
  event.preventDefault(); // also by Enter in any field
  draw();
});
byId("another").addEventListener("click", () => {
  controls.nextSeed();
  if (form.reportValidity()) draw();
});
controls.stop.addEventListener("click", () => ask({ kind: "stop", number }));
controls.backend.addEventListener("change", open);
new ResizeObserver(show).observe(byId("frame"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);

start().catch((error) => fail(error instanceof Error ? error.message : String(error)));

async function start(): Promise<void> {
  say("Starting the engine.");
  const text = await inflated(fromBase64(byId("engine").textContent ?? ""));
  engine = new Worker(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  engine.addEventListener("message", ({ data }: MessageEvent<FromEngine>) => hear(data));
  engine.addEventListener("error", ({ message }) =>
    fail(message || "This browser starts no worker from a page on disk."),
  );
  open();
}

function inflated(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
}

function ask(message: ToEngine): void {
  engine?.postMessage(message);
}

/** Takes the model to the backend that is chosen, and draws there. */
function open(): void {
  if (!engine) return;
  ask({ kind: "open", model, backend: backendOf(controls.backend) });
  if (form.reportValidity()) draw();
}

function draw(): void {
  if (!engine) return;
  if (asked) ask({ kind: "stop", number });
  number++;
  asked = controls.request();
  ask({ kind: "sample", number, request: asked });
  document.body.dataset["state"] = "sampling";
  controls.stop.disabled = false;
  controls.progress.className = "";
  controls.progress.removeAttribute("value"); // how far it is is not known yet
  say(`Drawing ${asked.count.toLocaleString("en")} ${asked.count === 1 ? "sample" : "samples"}.`);
}

function hear(message: FromEngine): void {
  if (message.kind === "failed" && message.number === undefined) fail(message.message);
  if (!("number" in message) || message.number !== number) return;
  if (message.kind === "progress") {
    if (message.done > 0) controls.progress.value = message.done / message.total;
    return;
  }
  rest();
  if (message.kind === "failed") fail(message.message);
  else if (message.kind === "stopped") say("Stopped.");
  else {
    controls.reason.textContent = message.reason;
    take(message.values, asked as SampleRequest);
    say(`Drawn in ${message.seconds.toFixed(2)} s.`);
  }
}

function take(values: DrawnSamples["values"], request: SampleRequest): void {
  const samples = drawnOf(values, request);
  shown = { samples, request };
  for (const button of controls.downloads) button.disabled = false;
  show();
  byId("rows").replaceChildren(tableOf(samples));
  document.body.dataset["state"] = "ready";
}

function drawnOf(values: DrawnSamples["values"], { count, conditions }: SampleRequest): DrawnSamples {
  const told = controls.told.find(({ name, condition }) => {
    return condition.classes !== undefined && Array.isArray(conditions?.[name]);
  });
  const classes = told?.condition.classes ?? 0;
  const names = told?.condition.names ?? Array.from({ length: classes }, (_, i) => String(i));
  const labels = told && { names, of: conditions?.[told.name] as readonly number[] };
  return { values, count, dimension: values.length / count, shape: facts.shape, columns, labels };
}

function show(): void {
  if (!shown) return;
  const width = byId("frame").clientWidth;
  if (view && width === 0) return;
  const words = view ? view(canvas, shown.samples, coloursNow(), width) : tableSummary(shown.samples);
  canvas.setAttribute("aria-label", words);
  byId("summary").textContent = words;
}

function viewOf(shape: readonly number[]): View | undefined {
  if (shape.length === 3) return pictures;
  if (shape.length === 2) return lines;
  return shape[0] === 1 ? histogram : shape[0] === 2 ? scatter : undefined;
}

function download(kind: string): void {
  if (kind === "model") saveAs("model.safetensors", model, BYTES);
  if (kind === "model" || !shown) return;
  const { samples, request } = shown;
  if (kind === "npy") saveAs("samples.npy", npyOf(samples), BYTES);
  else saveAs("samples.csv", csvOf(samples, toldColumns(request.conditions, samples.count)), "text/csv");
}

function say(words: string): void {
  controls.status.className = "";
  controls.status.textContent = words;
}

function rest(): void {
  controls.stop.disabled = true;
  controls.progress.value = 0;
  controls.progress.className = "idle";
}

function fail(words: string): void {
  rest();
  document.body.dataset["state"] = "failed";
  say(words);
  controls.status.className = "error";
}

function aboutOf({ network, path, parameters, step, version }: PageFacts): string {
  const made = `A network "${network}" of ${parameters.toLocaleString("en")} parameters on the path "${path}"`;
  const trained = step > 0 ? `, after ${step.toLocaleString("en")} training steps` : "";
  return `${made}${trained}. This file holds the model and divflow ${version}; its Content-Security-Policy forbids every connection.`;
}
