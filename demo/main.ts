/** The page: controls in, pictures, figures and curves out. All work is done in worker.ts. */
import { type FromWorker, type Look, type Settings, type Side, sides, type ToWorker } from "./messages.ts";
import { Announcer } from "./page/announce.ts";
import { ChooseData } from "./page/choose-data.ts";
import {
  describeWeight,
  mapChosen,
  offerPresets,
  overlaysChosen,
  samplerChosen,
  settingsBy,
  showMap,
  showOverlays,
  showSettings,
  showWeight,
  titleOfWeight,
  weightOf,
} from "./page/controls.ts";
import { type Axis, Curves } from "./page/curves.ts";
import { offerVerify, showDevice, showReport } from "./page/device.ts";
import { chosen, element } from "./page/elements.ts";
import { Guide } from "./page/guide.ts";
import { showKept } from "./page/kept.ts";
import { openLink } from "./page/open-link.ts";
import { remember, remembered } from "./page/remember.ts";
import { Report, type State } from "./page/report.ts";
import { emptyShown, type Shown, takeJudged, takeLosses } from "./page/shown.ts";
import { Stage } from "./page/stage.ts";
import { offerTakeAlong } from "./page/take-along.ts";
import { offerThemes } from "./page/themes.ts";
import { Time } from "./page/time.ts";

const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
const send = (message: ToWorker) => worker.postMessage(message);

let state: State = "preparing";
let reason = "";
/** Whether the GPU was lost, and training goes on elsewhere. */
let hasMoved = false;
/** What cannot be done, until something else is. */
let refusal = "";
/** The number of the last `prepare` or `undo`; news of an earlier one are of models that were thrown away. */
let attempt = 0;
let truth: Float32Array | undefined;
let entropy: number | undefined;
let extent = 4.5;
let shown: Record<Side, Shown> = { left: emptyShown(), right: emptyShown() };
/** What was shown before the last `prepare`, for undo. */
let before: { settings: Settings; shown: Record<Side, Shown> } | undefined;
let settings: Settings | undefined;
/** As things were before the last `prepare`: where it is refused they are so again. */
let last: { settings: Settings; shown: Record<Side, Shown>; before: typeof before } | undefined;
/** What the pinned one on the left is called. */
let pinned: string | undefined;
/** What the guide's fields show, apart from the models. */
let staged: Record<Side, Shown> | undefined;

const stage = new Stage(() => ({
  ...{ shown: staged ?? shown, extent: staged ? SCENE_EXTENT : extent, t: time.t, map: mapChosen() },
  ...{ overlays: overlaysChosen(), data: staged ? undefined : truth, titles: titles() },
}));
const curves = new Curves(() => ({
  shown,
  titles: modelTitles(),
  axis: chosen("axis") as Axis,
  theme: stage.theme,
  entropy,
}));
const report = new Report(() => ({
  ...{ state, reason, refusal, hasMoved, shown, staged, isPinned: pinned !== undefined },
  ...{ titles: titles(), modelTitles: modelTitles(), t: time.t, map: mapChosen() },
}));
const announcer = new Announcer(() => report.announcement());
const time = new Time((isSettled) => {
  stage.draw();
  if (isSettled) look();
});
const data = new ChooseData({ theme: () => stage.theme, chosen: prepare, refuse });
/** Half the side of what scenes show: train/scene.ts. */
const SCENE_EXTENT = 3.6;
const wantsCalm = matchMedia("(prefers-reduced-motion: reduce)");

const guide = new Guide({
  shown(view) {
    if (state === "running" && view.scene) pause();
    showMap(view.map);
    showOverlays(view.overlays);
    staged = view.scene ? { left: emptyShown(), right: emptyShown() } : undefined;
    send({ kind: "scene", scene: view.scene });
    if (view.plays && !wantsCalm.matches) time.play();
    else time.set(view.map === "divergence-error" ? 0.8 : 1);
    look();
    draw();
  },
  ended() {
    staged = undefined;
    send({ kind: "scene", scene: null });
    showMap("density");
    showOverlays({ particles: true, data: false, paths: false, arrows: false, lattice: false });
    time.set(1);
    draw();
  },
});

function modelTitles(): Record<Side, string> {
  return { left: pinned ?? titleOfWeight(weightOf("left")), right: titleOfWeight(weightOf("right")) };
}
const titles = (): Readonly<Record<Side, string>> => guide.view?.titles ?? modelTitles();

function look(): void {
  const next: Look = { t: time.t, map: mapChosen(), arrows: overlaysChosen().arrows, sampler: samplerChosen() };
  send({ kind: "look", look: next });
}

/** Makes both models anew; what was trained can be had back. */
function prepare(): void {
  last = settings && { settings, shown, before };
  if (settings && sides.some((side) => shown[side].step > 0)) before = { settings, shown };
  settings = settingsBy(data.choice);
  begin({ kind: "prepare", attempt: attempt + 1, settings });
}

function undo(): void {
  if (!before || !settings) return;
  const back = before;
  before = sides.some((side) => shown[side].step > 0) ? { settings, shown } : undefined;
  begin({ kind: "undo", attempt: attempt + 1 });
  goBackTo(back);
}

function goBackTo(back: NonNullable<typeof before>): void {
  ({ settings, shown } = back);
  data.show(settings.data);
  showSettings(settings);
  draw();
}

function begin(message: ToWorker & { attempt: number }): void {
  ({ attempt } = message);
  state = "preparing";
  refusal = "";
  const left = pinned === undefined ? emptyShown() : shown.left;
  shown = { left, right: emptyShown() };
  showKept(element("kept"), [], modelTitles());
  send(message);
  draw();
}

function pause(): void {
  state = "pausing";
  send({ kind: "pause" });
}

function refuse(message: string): void {
  refusal = message;
  draw();
}

function start(steps?: number): void {
  if (staged) guide.end();
  state = "running";
  refusal = "";
  const restMilliseconds = Number(element<HTMLSelectElement>("speed").value);
  send({ kind: "start", restMilliseconds, ...(steps === undefined ? {} : { steps }) });
  draw();
}

const STEPS_AT_ONCE = 10;
element("start").addEventListener("click", () => {
  if (state === "running") pause();
  else if (state === "ready") start();
  draw();
});
element("step").addEventListener("click", () => start(STEPS_AT_ONCE));
element("reset").addEventListener("click", prepare);
element("undo").addEventListener("click", undo);
element("speed").addEventListener("change", () => state === "running" && start());
for (const id of ["width", "layers", "seed", "backend"]) element(id).addEventListener("change", prepare);
for (const side of sides) {
  element(`${side}-weight`).addEventListener("input", () => {
    describeWeight(side);
    draw();
  });
  element(`${side}-weight`).addEventListener("change", () => {
    if (settings) settings = { ...settings, weights: { ...settings.weights, [side]: weightOf(side) } };
    send({ kind: "weigh", side, weight: weightOf(side) });
  });
}
element("pin").addEventListener("click", () => send({ kind: "pin", side: "right" }));
element("unpin").addEventListener("click", () => send({ kind: "unpin" }));
element("maps").addEventListener("change", changeLook);
element("overlays").addEventListener("change", changeLook);
for (const id of ["solver", "solver-steps", "tolerance"]) element(id).addEventListener("change", changeLook);
element("axis").addEventListener("change", () => curves.draw());
offerPresets(({ data: name, settings: own }) => {
  if (name) data.show({ kind: "named", name });
  showSettings({ ...settingsBy(data.choice), ...own });
  prepare();
});
offerVerify(send);
const takeModels = offerTakeAlong({
  ...{ settings: () => settings, sampler: samplerChosen, shown: () => shown, titles: modelTitles },
  ground: () => getComputedStyle(document.body).backgroundColor,
  time: () => time.t,
  ask: () => send({ kind: "take" }),
  async showAt(t) {
    time.set(t);
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  },
});
offerThemes(() => {
  stage.recolour();
  curves.draw();
  data.draw();
});

function changeLook(): void {
  look();
  draw();
}

worker.addEventListener("error", ({ message }) => fail(message || "The worker could not be started."));
worker.addEventListener("message", ({ data: message }: MessageEvent<FromWorker>) => {
  if (message.kind === "thumbnails") data.takeThumbnails(message.points);
  else if (message.attempt === attempt) take(message);
});

function take(message: FromWorker): void {
  switch (message.kind) {
    case "ready":
      ({ reason, truth, extent, entropy, pinned } = message);
      showPinned();
      state = "ready";
      hasMoved = false;
      if (!message.resumed) before = message.canUndo ? before : undefined;
      showDevice(message.facts);
      data.takeColumns(message.columns);
      element("notes").textContent = message.notes.join(" ");
      element("notes").hidden = message.notes.length === 0;
      for (const side of sides) shown[side].step = message.steps[side];
      break;
    case "losses":
      takeLosses(shown[message.side], message);
      report.tell();
      curves.draw();
      return;
    case "frames":
    case "slice": {
      if (message.isScene !== (staged !== undefined)) return; // of what was shown before
      const target = (staged ?? shown)[message.side];
      if (message.kind === "frames") target.frames = message.frames;
      else target.slice = message.slice;
      stage.draw();
      report.tell();
      return;
    }
    case "judged":
      takeJudged(shown[message.side], message.judged);
      report.tell();
      curves.draw();
      announcer.announce();
      return;
    case "weighed":
      showWeight(message.side, message.weight);
      break;
    case "pinned":
      takePinned(message);
      break;
    case "scene-figures":
      guide.takeFigures(message.figures);
      return;
    case "facts":
      showDevice(message.facts);
      return;
    case "taken":
      takeModels(message.models);
      return;
    case "verified":
      showReport(message.report);
      return;
    case "paused":
      if (state === "running" || state === "pausing") state = "ready";
      break;
    case "moved":
      ({ reason } = message);
      hasMoved = true;
      break;
    case "refused":
      refusal = message.message;
      if (state === "preparing" && last) {
        state = "ready";
        ({ before } = last);
        goBackTo(last);
      }
      break;
    case "failed":
      showKept(element("kept"), message.kept, modelTitles());
      fail(message.message);
      return;
  }
  draw();
}

/** The pinned run takes its curves with it. */
function takePinned({ title, step }: FromWorker & { kind: "pinned" }): void {
  const { losses, judged } = shown.right;
  shown.left =
    title === null ? { ...emptyShown(), step } : { ...shown.right, losses: [...losses], judged: [...judged] };
  pinned = title ?? undefined;
  showPinned();
}

function showPinned(): void {
  element("unpin").hidden = pinned === undefined;
  element("pin").hidden = pinned !== undefined;
  element<HTMLInputElement>("left-weight").disabled = pinned !== undefined;
}

function fail(message: string): void {
  state = "failed";
  reason = message;
  draw();
}

const buttonWords = { preparing: "Train", ready: "Train", running: "Pause", pausing: "Pause", failed: "Train" };

/** Words and buttons tell the state at once; pictures are drawn once a frame at most. */
function draw(): void {
  const isTrained = sides.some((side) => shown[side].step > 0);
  const button = element<HTMLButtonElement>("start");
  button.textContent = state === "ready" && isTrained ? "Go on" : buttonWords[state];
  button.disabled = !(state === "ready" || state === "running");
  element<HTMLButtonElement>("step").disabled = state !== "ready";
  element<HTMLButtonElement>("undo").disabled = before === undefined || state === "preparing";
  element<HTMLButtonElement>("pin").disabled = shown.right.step === 0;
  document.body.dataset.state = state;
  report.tell();
  stage.draw();
  curves.draw();
  announcer.announce();
}

for (const side of sides) describeWeight(side);
const link = openLink(location.hash, (choice) => data.show(choice));
settings = settingsBy(data.choice);
look();
prepare();
if (link.message) refuse(link.message);
if (!link.isShared && remembered("toured") !== "yes") guide.go(0, false);
addEventListener("hashchange", () => {
  const { isShared, message } = openLink(location.hash, (choice) => data.show(choice));
  if (isShared) {
    look();
    prepare();
  }
  if (message) refuse(message);
});
addEventListener("pagehide", () => remember("toured", "yes"));
