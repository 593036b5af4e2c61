/** The page: settings and buttons in, pictures and curves out. All work is done in worker.ts. */
import { type FromWorker, type LossName, lossNames, type Settings, type ToWorker } from "./messages.ts";
import { type Curve, colourOf, drawCurves, drawPoints } from "./plot.ts";

type Points = [x: number, y: number][];

/** Everything shown of one model. */
interface Shown {
  samples: Float32Array | undefined;
  step: number;
  millisecondsPerStep: number;
  readonly velocityLoss: Points;
  readonly outside: Points;
}

const element = <E extends HTMLElement>(id: string): E => {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no element "${id}".`);
  return found as E;
};
const start = element<HTMLButtonElement>("start");
const reset = element<HTMLButtonElement>("reset");
const status = element("status");
const fields = ["width", "divergence", "seed", "backend"].map((id) => element<HTMLInputElement>(id));

const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
const send = (message: ToWorker) => worker.postMessage(message);

let state: "preparing" | "ready" | "running" | "pausing" | "failed" = "preparing";
let attempt = 0;
let reason = "";
let truth: Float32Array | undefined;
let extent = 1;
let shown = emptyShown();

function emptyShown(): Record<LossName, Shown> {
  const empty = (): Shown => ({ samples: undefined, step: 0, millisecondsPerStep: 0, velocityLoss: [], outside: [] });
  return { cfm: empty(), fdm: empty() };
}

function settings(): Settings {
  const [width, divergence, seed, backend] = fields.map(({ value }) => value);
  return {
    width: Number(width),
    divergence: Number(divergence),
    seed: Math.max(0, Math.trunc(Number(seed)) || 0),
    backend: backend as Settings["backend"],
  };
}

function prepare(): void {
  state = "preparing";
  shown = emptyShown();
  send({ kind: "prepare", attempt: ++attempt, settings: settings() });
  draw();
}

start.addEventListener("click", () => {
  if (state === "running") {
    state = "pausing";
    send({ kind: "pause" });
  } else if (state === "ready") {
    state = "running";
    send({ kind: "start" });
  }
  draw();
});
reset.addEventListener("click", prepare);
for (const field of fields) field.addEventListener("change", prepare);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());

worker.addEventListener("error", ({ message }) => fail(message || "The worker could not be started."));
worker.addEventListener("message", ({ data: message }: MessageEvent<FromWorker>) => {
  if (message.attempt !== attempt) return; // of trainers that were thrown away since
  switch (message.kind) {
    case "ready":
      ({ reason, truth, extent } = message);
      state = "ready";
      break;
    case "losses": {
      const one = shown[message.name];
      one.step = message.step;
      one.millisecondsPerStep = message.millisecondsPerStep;
      one.velocityLoss.push([message.step, message.velocityLoss]);
      thin(one.velocityLoss);
      break;
    }
    case "samples":
      shown[message.name].samples = message.values;
      if (message.step > 0) shown[message.name].outside.push([message.step, message.outside]);
      break;
    case "paused":
      if (state === "running" || state === "pausing") state = "ready";
      break;
    case "failed":
      fail(message.message);
      return;
  }
  draw();
});

function fail(message: string): void {
  state = "failed";
  reason = message;
  draw();
}

/** Halves the points once there are more than a curve can show. */
function thin(points: Points): void {
  if (points.length < 1000) return;
  points.splice(0, points.length, ...points.filter((_, i) => i % 2 === 1));
}

let drawing = false;
/** Draws once a frame at most. */
function draw(): void {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    drawNow();
  });
}

const buttonWords = { preparing: "Start", ready: "Start", running: "Pause", pausing: "Pause", failed: "Start" };

function drawNow(): void {
  start.textContent = state === "ready" && shown.cfm.step > 0 ? "Go on" : buttonWords[state];
  start.disabled = !(state === "ready" || state === "running");
  document.body.dataset.state = state;
  status.classList.toggle("error", state === "failed");
  status.textContent = statusWords();
  if (truth) drawPoints(element("truth"), truth, extent, colourOf("truth"));
  for (const name of lossNames) {
    const { samples, step, outside } = shown[name];
    drawPoints(element(name), samples ?? new Float32Array(), extent, colourOf(name));
    const last = outside.at(-1);
    element(`${name}-note`).textContent =
      step === 0
        ? "not trained yet"
        : `step ${step.toLocaleString("en")}${last ? `, ${(100 * last[1]).toFixed(1)} % outside the squares` : ""}`;
  }
  const curves = (of: "velocityLoss" | "outside"): Curve[] =>
    lossNames.map((name) => ({ colour: colourOf(name), points: shown[name][of] }));
  drawCurves(element("velocity-loss"), curves("velocityLoss"), (y) => Number(y.toPrecision(2)).toString());
  drawCurves(element("outside"), curves("outside"), (y) => `${Number((100 * y).toPrecision(2))} %`);
}

function statusWords(): string {
  if (state === "preparing") return "Preparing …";
  if (state === "failed") return reason;
  const speed = lossNames
    .filter((name) => shown[name].millisecondsPerStep > 0)
    .map((name) => `${name.toUpperCase()} ${shown[name].millisecondsPerStep.toFixed(1)} ms a step`);
  return [reason, ...speed].join("  ·  ");
}

prepare();
