/** The page: settings and buttons in, pictures and curves out. All work is done in worker.ts. */
import { atEqualSeconds, atEqualSteps, type Sampled, standingWords } from "./ahead.ts";
import { showKept } from "./kept.ts";
import { type FromWorker, type LossName, lossNames, type Settings, type Support, type ToWorker } from "./messages.ts";
import { type Curve, colourOf, drawCurves, drawPoints } from "./plot.ts";

type Points = [x: number, y: number][];

/** Everything shown of one model. */
interface Shown {
  samples: Float32Array | undefined;
  step: number;
  millisecondsPerStep: number;
  /** Of its training. */
  seconds: number;
  readonly velocityLoss: Points;
  readonly outside: Points;
  readonly sampled: Sampled[];
}

const element = <E extends HTMLElement>(id: string): E => {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no element "${id}".`);
  return found as E;
};
const start = element<HTMLButtonElement>("start");
const reset = element<HTMLButtonElement>("reset");
const status = element("status");
const announcement = element("announcement");
const keptModels = element("kept");
const fields = ["width", "divergence", "seed", "backend"].map((id) => element<HTMLInputElement>(id));

const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
const send = (message: ToWorker) => worker.postMessage(message);

let state: "preparing" | "ready" | "running" | "pausing" | "failed" = "preparing";
let reason = "";
/** The number of the last `prepare`; news of an earlier one are of trainers that were thrown away. */
let attempt = 0;
let truth: Float32Array | undefined;
let support: Support | undefined;
let extent = 1;
let shown = emptyShown();

function emptyShown(): Record<LossName, Shown> {
  const empty = (): Shown => ({
    samples: undefined,
    ...{ step: 0, millisecondsPerStep: 0, seconds: 0 },
    ...{ velocityLoss: [], outside: [], sampled: [] },
  });
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
  showKept(keptModels, []);
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
addEventListener("resize", () => draw());

worker.addEventListener("error", ({ message }) => fail(message || "The worker could not be started."));
worker.addEventListener("message", ({ data: message }: MessageEvent<FromWorker>) => {
  if (message.attempt !== attempt) return;
  switch (message.kind) {
    case "ready":
      ({ reason, truth, extent, support } = message);
      state = "ready";
      break;
    case "losses": {
      takeLosses(shown[message.name], message);
      break;
    }
    case "samples":
      takeSamples(shown[message.name], message);
      break;
    case "paused":
      state = "ready";
      break;
    case "moved":
      ({ reason } = message);
      break;
    case "failed":
      showKept(keptModels, message.kept);
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

/** Minibatch losses are noisy: the curve is their mean, in which so many steps fade to 1/e. */
const SMOOTHED_STEPS = 100;

function takeLosses(one: Shown, message: FromWorker & { kind: "losses" }): void {
  const { step, velocityLoss, millisecondsPerStep, seconds } = message;
  const share = 1 - Math.exp((one.step - step) / SMOOTHED_STEPS);
  const before = one.velocityLoss.at(-1)?.[1] ?? velocityLoss;
  one.velocityLoss.push([step, before + share * (velocityLoss - before)]);
  thin(one.velocityLoss);
  one.millisecondsPerStep += (one.step === 0 ? 1 : 0.2) * (millisecondsPerStep - one.millisecondsPerStep);
  one.step = step;
  one.seconds = seconds;
}

function takeSamples(one: Shown, { step, values, outside }: FromWorker & { kind: "samples" }): void {
  one.samples = values;
  if (step === 0) return;
  keep(one.outside, step, outside);
  if (one.sampled.at(-1)?.step === step) one.sampled.pop();
  one.sampled.push({ step, seconds: one.seconds, outside, count: values.length / 2 });
  thin(one.outside);
  thin(one.sampled);
}

/** Adds a point, in place of one of the same step: the later samples are more. */
function keep(points: Points, step: number, value: number): void {
  if (points.at(-1)?.[0] === step) points.pop();
  points.push([step, value]);
}

/** Halves the points once there are more than a curve can show; the last one stays. */
function thin<Point>(points: Point[]): void {
  if (points.length < 1000) return;
  points.splice(0, points.length, ...points.filter((_, i) => i % 2 === 1));
}

const buttonWords = { preparing: "Start", ready: "Start", running: "Pause", pausing: "Pause", failed: "Start" };

let drawing = false;
/** Words and buttons tell the state at once; pictures are drawn once a frame at most. */
function draw(): void {
  start.textContent = state === "ready" && shown.cfm.step > 0 ? "Go on" : buttonWords[state];
  start.disabled = !(state === "ready" || state === "running");
  document.body.dataset.state = state;
  status.classList.toggle("error", state === "failed");
  tell();
  announce();
  drawStandings();
  for (const name of lossNames) element(`${name}-note`).textContent = noteOf(shown[name]);
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    drawPictures();
  });
}

/** Changes of state are seen at once; the figures beside them change once a second, or nobody could read them. */
const FIGURES_EVERY_MILLISECONDS = 1000;
let told = { state: "", time: 0 };
function tell(): void {
  if (told.state === state && performance.now() - told.time < FIGURES_EVERY_MILLISECONDS) return;
  told = { state, time: performance.now() };
  status.textContent = statusWords();
}

/** Screen readers are told the state, in one message a second at most: the last word of each. */
const ANNOUNCED_EVERY_MILLISECONDS = 1000;
const announcements = {
  preparing: () => "Preparing.",
  ready: () => (shown.cfm.step > 0 ? `Paused at step ${shown.cfm.step}. ${aheadWords()}` : `Ready. ${reason}`),
  running: () => "Training.",
  pausing: () => "Pausing.",
  failed: () => reason,
};
let announcedAt = 0;
let waiting = false;
function announce(): void {
  if (waiting) return;
  waiting = true;
  setTimeout(
    () => {
      waiting = false;
      announcedAt = performance.now();
      const words = announcements[state]();
      if (announcement.textContent !== words) announcement.textContent = words;
    },
    Math.max(0, announcedAt + ANNOUNCED_EVERY_MILLISECONDS - performance.now()),
  );
}

function standings() {
  const histories = { cfm: shown.cfm.sampled, fdm: shown.fdm.sampled };
  return { steps: atEqualSteps(histories), seconds: atEqualSeconds(histories) };
}

function aheadWords(): string {
  const { steps, seconds } = standings();
  return [
    ...(steps ? [`At equal steps ${standingWords(steps)}.`] : []),
    ...(seconds ? [`At equal seconds ${standingWords(seconds)}.`] : []),
  ].join(" ");
}

function drawStandings(): void {
  const { steps, seconds } = standings();
  const nothing = "not known yet";
  // Between the two messages of one round of samples the models are at different steps: the last words stay.
  if (steps || shown.cfm.step === 0) {
    element("equal-steps").textContent = steps
      ? `${standingWords(steps)} (${steps.step.toLocaleString("en")} steps each)`
      : nothing;
  }
  element("equal-seconds").textContent = seconds
    ? `${standingWords(seconds)} (${seconds.seconds.toFixed(1)} s of training each)`
    : nothing;
}

function noteOf({ step, outside }: Shown): string {
  if (step === 0) return "not trained yet";
  const last = outside.at(-1);
  return `step ${step.toLocaleString("en")}${last ? `, ${(100 * last[1]).toFixed(1)} % outside the squares` : ""}`;
}

function drawPictures(): void {
  const common = { extent, ...(support ? { support } : {}) };
  if (truth) drawPoints(element("truth"), { ...common, points: truth, colour: colourOf("truth") });
  for (const name of lossNames) {
    const { samples } = shown[name];
    drawPoints(element(name), { ...common, points: samples ?? new Float32Array(), colour: colourOf(name) });
  }
  const curves = (of: "velocityLoss" | "outside"): Curve[] =>
    lossNames.map((name) => ({ colour: colourOf(name), points: shown[name][of] }));
  drawCurves(element("velocity-loss"), curves("velocityLoss"), (y) => String(Number(y.toPrecision(3))));
  drawCurves(element("outside"), curves("outside"), (y) => `${Number((100 * y).toPrecision(3))} %`);
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
