/** The page: controls in, pictures, figures and curves out. All work is done in worker.ts. */
import { askActivation, bring, offerDrop, tellOpened } from "./keep/brought.ts";
import { ComeBack } from "./keep/come-back.ts";
import { Keeping } from "./keep/keeping.ts";
import { hideNotice, showNotice } from "./keep/notice.ts";
import { type FromWorker, type Look, type Settings, type Side, sides, type ToWorker } from "./messages.ts";
import { Announcer } from "./page/announce.ts";
import { showButtons, showPinned } from "./page/buttons.ts";
import { ChooseData } from "./page/choose-data.ts";
import { Classes } from "./page/classes.ts";
import {
  describeWeight,
  mapChosen,
  offerPresets,
  overlaysChosen,
  samplerChosen,
  settingsBy,
  showSettings,
  showWeight,
  titleOfWeight,
  weightOf,
} from "./page/controls.ts";
import { type Axis, Curves } from "./page/curves.ts";
import { offerVerify, showDevice, showReport } from "./page/device.ts";
import { chosen, element } from "./page/elements.ts";
import { showKept } from "./page/kept.ts";
import { OneStepFigure, wantedJumps } from "./page/one-step.ts";
import { openLink } from "./page/open-link.ts";
import { remember, remembered } from "./page/remember.ts";
import { Report, type State } from "./page/report.ts";
import { isSameRun, isTrained, Runs } from "./page/runs.ts";
import { emptyShown, pinnedShown, type Shown, takeJudged, takeLosses } from "./page/shown.ts";
import { Stage } from "./page/stage.ts";
import { offerTakeAlong } from "./page/take-along.ts";
import { offerThemes } from "./page/themes.ts";
import { Time } from "./page/time.ts";
import { newTour } from "./page/tour.ts";
import { viewNow } from "./page/view.ts";
import { wireControls } from "./page/wire.ts";
import { offerTabs, tabOf } from "./tabs/tabs.ts";

const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
const send = (message: ToWorker) => worker.postMessage(message);

let state: State = "preparing";
let reason = "";
/** Whether the GPU was lost, and training goes on elsewhere. */
let hasMoved = false;
/** What cannot be done, until something else is. */
let refusal = "";
let truth: Float32Array | undefined;
let entropy: number | undefined;
let extent = 4.5;
/** What the pinned one on the left is called. */
let pinned: string | undefined;
/** What the guide's fields show, apart from the models. */
let staged: Record<Side, Shown> | undefined;

const runs = new Runs({
  begun(message) {
    state = "preparing";
    refusal = "";
    hideNotice();
    runs.shown = { left: pinned === undefined ? emptyShown() : runs.shown.left, right: emptyShown() };
    showKept(element("kept"), [], modelTitles());
    send(message);
    draw();
  },
  back(settings) {
    data.show(settings.data);
    showSettings(settings);
    draw();
  },
});
const stage = new Stage(() => ({
  ...{ shown: staged ?? runs.shown, extent: staged ? SCENE_EXTENT : extent, t: time.t, map: mapChosen() },
  ...{ overlays: overlaysChosen(), data: staged ? undefined : truth, titles: titles() },
  labels: classes.labels,
}));
const curves = new Curves(() => ({
  shown: runs.shown,
  titles: modelTitles(),
  axis: chosen("axis") as Axis,
  theme: stage.theme,
  entropy,
}));
const report = new Report(() => ({
  ...{ state, reason, refusal, hasMoved, shown: runs.shown, staged, isPinned: pinned !== undefined },
  ...{ titles: titles(), modelTitles: modelTitles(), t: time.t, map: mapChosen() },
}));
const announcer = new Announcer(() => report.announcement());
const time = new Time((isSettled) => {
  stage.draw();
  if (isSettled) look();
});
const show = (choice: Settings["data"]) => data.show(choice);
const data = new ChooseData({
  ...{ theme: () => stage.theme, chosen: prepare, refuse },
  brought: (name, given) => bring(name, given, { send, show, chosen: changeAll }),
});
const keeping = new Keeping(
  () => ({ runs, state, t: time.t, drawn: data.drawn, isOwn: isTrained(runs.shown) || isChanged() }),
  send,
);
const comeBack = new ComeBack({
  ...{ runs, keeping, titles: modelTitles, showData: show, chosen: changeAll, refuse, initial: () => initial },
  showDrawn: (points) => {
    data.drawn = points;
  },
});
const oneStep = new OneStepFigure({ theme: () => ({ theme: stage.theme, extent }), look: changeLook });
const classes = new Classes({ prepare, look: changeLook });
/** Half the side of what scenes show: train/scene.ts. */
const SCENE_EXTENT = 3.6;
const guide = newTour({
  ...{ time, look, draw },
  stage(scene) {
    if (state === "running" && scene) pause();
    staged = scene ? { left: emptyShown(), right: emptyShown() } : undefined;
    send({ kind: "scene", scene });
  },
});

function modelTitles(): Record<Side, string> {
  return { left: pinned ?? titleOfWeight(weightOf("left")), right: titleOfWeight(weightOf("right")) };
}
const titles = (): Readonly<Record<Side, string>> => guide.view?.titles ?? modelTitles();

function look(): void {
  const next: Look = { t: time.t, map: mapChosen(), arrows: overlaysChosen().arrows, sampler: samplerChosen() };
  const jumps = wantedJumps();
  send({ kind: "look", look: jumps === undefined ? next : { ...next, jumps } });
  keeping.touch();
}

function prepare(): void {
  runs.prepare(settingsBy(data.choice, runs.settings));
}

function changeAll(): void {
  look();
  prepare();
}

/** Whether there is what a first visit has not, beside training. */
function isChanged(): boolean {
  return pinned !== undefined || data.drawn.length > 0 || !isSameRun(runs.settings, initial);
}

function pause(): void {
  state = "pausing";
  send({ kind: "pause" });
}

function refuse(message: string): void {
  refusal = message;
  draw();
  element("status").scrollIntoView({ block: "nearest" }); // what was asked for may stand far below
}

function start(steps?: number): void {
  if (staged) guide.end();
  state = "running";
  refusal = "";
  const restMilliseconds = Number(element<HTMLSelectElement>("speed").value);
  send({ kind: "start", restMilliseconds, ...(steps === undefined ? {} : { steps }) });
  draw();
}

wireControls({
  toggle() {
    if (state === "running") pause();
    else if (state === "ready") start();
    draw();
  },
  ...{ start, prepare, draw, look: changeLook },
  undo: () => runs.undo(),
  changeSpeed: () => state === "running" && start(),
  weigh(side) {
    const { settings } = runs;
    if (settings) runs.settings = { ...settings, weights: { ...settings.weights, [side]: weightOf(side) } };
    send({ kind: "weigh", side, weight: weightOf(side) });
  },
  pin: () => send({ kind: "pin", side: "right" }),
  unpin: () => send({ kind: "unpin" }),
  redrawCurves: () => curves.draw(),
});
offerPresets(({ data: name, settings: own }) => {
  if (name) data.show({ kind: "named", name });
  showSettings({ ...settingsBy(data.choice), ...own });
  prepare();
});
offerVerify(send);
const takeModels = offerTakeAlong({
  ...{ settings: () => runs.settings, sampler: samplerChosen, shown: () => runs.shown, titles: modelTitles },
  view: () => viewNow(time.t),
  ground: () => getComputedStyle(document.body).backgroundColor,
  time: () => time.t,
  ask: () => send({ kind: "take" }),
  async showAt(t) {
    time.set(t);
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  },
});
const tabs = offerTabs({
  left: () => {
    time.pause();
    if (state === "running") pause();
  },
  returned: draw,
});
offerThemes(() => {
  tabs.recolour();
  stage.recolour();
  oneStep.draw();
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
  else if (message.kind === "revived") comeBack.take(message, link.message);
  else if (message.kind === "not-kept") showNotice(message.message);
  else if (message.attempt === runs.attempt) take(message);
});

function take(message: FromWorker): void {
  switch (message.kind) {
    case "ready":
      ({ reason, truth, extent, entropy, pinned } = message);
      showPinned(pinned !== undefined);
      state = "ready";
      hasMoved = false;
      runs.ready(message);
      showDevice(message.facts);
      data.takeColumns(message.columns);
      oneStep.clear();
      if (classes.take(message.classes, message.settings.byClass === true)) look();
      element("notes").textContent = message.notes.join(" ");
      element("notes").hidden = message.notes.length === 0;
      if (runs.goesOn && !tabs.isAway) start();
      comeBack.tell();
      break;
    case "losses":
      takeLosses(runs.shown[message.side], message);
      report.tell();
      curves.draw();
      return;
    case "frames":
    case "slice": {
      if (message.isScene !== (staged !== undefined)) return; // of what was shown before
      const target = (staged ?? runs.shown)[message.side];
      if (message.kind === "frames") target.frames = message.frames;
      else target.slice = message.slice;
      stage.draw();
      report.tell();
      classes.tell(runs.shown, modelTitles());
      return;
    }
    case "judged":
      takeJudged(runs.shown[message.side], message.judged);
      report.tell();
      curves.draw();
      announcer.announce();
      keeping.touch();
      return;
    case "weighed":
      showWeight(message.side, message.weight);
      break;
    case "pinned":
      runs.shown.left = pinnedShown(runs.shown.right, message);
      pinned = message.title ?? undefined;
      showPinned(pinned !== undefined);
      if (message.isOpened) tellOpened(message);
      break;
    case "activation-wanted":
      askActivation(message, send);
      return;
    case "kept":
      document.body.dataset.kept = String(message.step);
      return;
    case "map":
    case "meter":
      oneStep.take(message);
      return;
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
      if (state === "preparing") {
        state = "ready";
        runs.refused();
      }
      break;
    case "failed":
      showKept(element("kept"), message.kept, modelTitles());
      if (message.batchSize) comeBack.offerSmaller(message.batchSize, state === "running");
      fail(message.message);
      return;
  }
  draw();
}

function fail(message: string): void {
  state = "failed";
  reason = message;
  draw();
}

/** Words and buttons tell the state at once; pictures are drawn once a frame at most. */
function draw(): void {
  const { shown, before } = runs;
  showButtons({ state, isTrained: isTrained(shown), canUndo: before !== undefined, canPin: shown.right.step > 0 });
  keeping.touch();
  report.tell();
  stage.draw();
  curves.draw();
  announcer.announce();
}

/** Nothing where the address names a tab. */
const linkIn = ({ hash }: Location) => (tabOf(hash) === "points" ? hash : "");

for (const side of sides) describeWeight(side);
offerDrop();
/** As a first visit has it. */
const initial = settingsBy(data.choice);
const link = openLink(linkIn(location), show);
look();
draw();
if (!link.isShared && remembered("toured") !== "yes") guide.go(0, false);
addEventListener("hashchange", () => {
  const { isShared, message } = openLink(linkIn(location), show);
  if (isShared) changeAll();
  if (message) refuse(message);
});
addEventListener("pagehide", () => remember("toured", "yes"));
