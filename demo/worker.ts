/** Does all the work, one thing after another in the order of the page's messages; trains, shows and judges in between. */
import { activationKinds } from "divflow";
import { Keeper } from "./keep/keeper.ts";
import { ActivationWanted, type ModelFile, opened } from "./keep/opened.ts";
import { smallerBatch } from "./keep/room.ts";
import type { Visit } from "./keep/visit.ts";
import type { FromWorker, Kept, Look, News, SceneChoice, Settings, ToWorker } from "./messages.ts";
import { sides } from "./messages.ts";
import { learnedOf } from "./train/data.ts";
import { factsOf, limitsOf, verified } from "./train/facts.ts";
import { BATCH_SIZE } from "./train/models.ts";
import type { OneStep } from "./train/one-step.ts";
import { Scene } from "./train/scene.ts";
import { type Opening, type Past, Session } from "./train/session.ts";
import { thumbnails } from "./train/thumbnails.ts";

const inbox: ToWorker[] = [];
let wake = () => {};
addEventListener("message", ({ data: message }: MessageEvent<ToWorker>) => {
  inbox.push(message);
  wake();
});

/** The number of the last `prepare` or `undo` heard of; what belongs to another is dropped. */
let latest = 0;
let session: Session | undefined;
let past: Past | undefined;
/** The visit before, until something is made of it. */
let visit: Visit | undefined;
/** What was asked for last, whether there was room for it or not. */
let asked: { readonly settings: Settings; readonly opening: Omit<Opening, "canUndo"> } | undefined;
let scene: Scene | undefined;
/** Of the session, where the page wants it. */
let oneStep: OneStep | undefined;
let look: Look = {
  ...{ t: 1, map: "none", arrows: false },
  sampler: { solver: "rk4", steps: 16, tolerance: 1e-4 },
};
/** Whether the maps and arrows are of another look. */
let isStale = false;
/** Whether the session's models can do no more: they are kept, and wait for what the visitor wants next. */
let isBroken = false;
/** Steps that are still to be trained, and the rest between turns. */
let wanted = 0;
let rest = 0;

const keeper = new Keeper({
  told: (message) => send({ kind: "not-kept", message }),
  keptSteps: (step) => send({ kind: "kept", step }),
});

function send(news: News, transfer: Transferable[] = []): void {
  const message: FromWorker = { ...news, attempt: latest };
  postMessage(message, { transfer });
}

const breath = (milliseconds = 0) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
const hasNews = () => inbox.length > 0;

async function live(): Promise<never> {
  for (;;) {
    const message = inbox.shift();
    try {
      if (message) await hear(message);
      else if (!(await work())) await news();
    } catch (error) {
      await fail(error);
    }
  }
}

function news(): Promise<void> {
  return new Promise((resolve) => {
    wake = resolve;
    if (hasNews()) resolve();
  });
}

/** One piece of what there is to do; false when there is nothing. */
async function work(): Promise<boolean> {
  if (scene) {
    if (!scene.isDue) return false;
    await scene.show(look, hasNews);
    return true;
  }
  if (!session || isBroken) return false;
  const isTraining = wanted > 0;
  if (isTraining) {
    wanted -= await session.turn(wanted);
    if (wanted <= 0) send({ kind: "paused" });
  }
  if (session.wantsPictures(wanted > 0)) {
    isStale = false;
    await session.pictures(look, wanted > 0, hasNews);
  } else if (isStale) {
    isStale = !(await session.slices(look, hasNews));
  } else if (session.wantsJudging(wanted > 0)) {
    await session.judge(look);
  } else if (!(await mapOn(session)) && !isTraining) {
    return false;
  }
  await breath(isTraining ? rest : 0); // lets messages in
  return true;
}

/** A piece of what there is to do for the one-step map; false when there is nothing. */
async function mapOn(session: Session): Promise<boolean> {
  if (look.jumps === undefined) return false;
  if (!oneStep) {
    const { OneStep } = await import("./train/one-step.ts");
    oneStep = new OneStep(session, send);
  }
  return oneStep.work(look, wanted > 0);
}

async function hear(message: ToWorker): Promise<void> {
  switch (message.kind) {
    case "prepare":
    case "undo":
      latest = message.attempt;
      wanted = 0;
      if (inbox.some(({ kind }) => kind === "prepare")) return; // another one waits already
      if (message.kind === "undo") return past && open(past.settings, past);
      return message.isKept && visit ? goOn(visit) : open(message.settings);
    case "shrink":
      latest = message.attempt;
      return shrink(message.batchSize);
    case "revive": {
      const found = await keeper.revive(message.own);
      ({ visit } = found);
      return send({ kind: "revived", ...found.revived });
    }
    case "keep":
      if (session?.number === message.attempt && !isBroken) await keeper.keep(session, past, message.view);
      return;
    case "open-model":
      return openModel(message.file);
    case "start":
      wanted = message.steps ?? Number.POSITIVE_INFINITY;
      rest = message.restMilliseconds;
      return;
    case "pause":
      if (wanted > 0) send({ kind: "paused" });
      wanted = 0;
      session?.redraw();
      return;
    case "look":
      return lookAt(message.look);
    case "weigh":
      return session?.weigh(message.side, message.weight);
    case "pin":
      return session?.pin(message.side);
    case "unpin":
      return session?.unpin();
    case "take":
      return send({ kind: "taken", models: await keptModels() });
    case "scene":
      return setScene(message.scene);
    case "verify":
      if (session) send({ kind: "verified", ...(await verified(session.runtime, message.cases)) });
      return;
  }
}

/** Drops what there was, but keeps its models for an undo; makes the models of these settings, or brings back those of before. */
async function open(settings: Settings, back?: Past): Promise<void> {
  if (!canBeLearned(settings)) return;
  // A model whose device is gone for good may not be had any more: what is made next does not wait for it.
  const pinned = back ? undefined : await session?.pinned().catch(() => undefined);
  if (session?.isTrained) past = await session.past().catch(() => undefined);
  else if (back) past = undefined;
  else if (visit?.models) past = { settings: visit.settings, ...visit.models };
  await replace(settings, { past: back, pinned });
}

/** The session is closed, and another one made, to which the undo stays. */
async function replace(settings: Settings, opening: Omit<Opening, "canUndo">): Promise<void> {
  visit = undefined;
  asked = { settings, opening };
  session?.close();
  session = oneStep = undefined;
  isBroken = false;
  session = await Session.open(latest, settings, send, { ...opening, canUndo: past !== undefined });
  const limits = await limitsOf();
  if (limits.length > 0) send({ kind: "facts", facts: { ...factsOf(session.runtime), limits } });
}

/** Where the visit before was. Its models may be damaged: then its settings begin anew. */
async function goOn({ settings, models, before }: Visit): Promise<void> {
  if (!canBeLearned(settings)) return;
  past = before;
  try {
    await replace(settings, { past: models && { settings, ...models } });
  } catch (error) {
    if (!models) throw error;
    const why = error instanceof Error ? error.message : String(error);
    send({ kind: "not-kept", message: `The models of the last visit cannot be gone on with, and begin anew. ${why}` });
    await replace(settings, {});
  }
}

/** The models as they are, or else as they were stored last, go on with smaller batches. */
async function shrink(batchSize: number): Promise<void> {
  if (!asked) return;
  const settings = { ...(session?.settings ?? asked.settings), batchSize };
  const own = session?.isOwn ? await session.past().catch(() => undefined) : undefined;
  const stored = session?.isOwn && !own ? await keeper.last().catch(() => undefined) : undefined;
  const back = own ?? (stored?.models && { settings, ...stored.models });
  await replace(settings, { ...(session ? { past: back } : asked.opening), isRebatched: true });
}

/** A model of the visitor's, on the left; what cannot be opened changes nothing. */
async function openModel(file: ModelFile): Promise<void> {
  if (!session || isBroken)
    return send({ kind: "refused", message: "Models cannot be opened before there are some here." });
  try {
    const entrant = await opened(session.runtime, file, look.sampler);
    await session.stand(entrant, entrant.pinned ?? file.name, true);
  } catch (error) {
    if (error instanceof ActivationWanted) send({ kind: "activation-wanted", file, choices: activationKinds });
    else send({ kind: "refused", message: error instanceof Error ? error.message : String(error) });
  }
}

/** Data that are no data are refused before anything is given up for them. */
function canBeLearned({ data }: Settings): boolean {
  try {
    learnedOf(data);
    return true;
  } catch (error) {
    send({ kind: "refused", message: error instanceof Error ? error.message : String(error) });
    return false;
  }
}

function lookAt(next: Look): void {
  const isOther = JSON.stringify(next.sampler) !== JSON.stringify(look.sampler);
  look = next;
  isStale = true;
  scene?.redraw(isOther);
  if (isOther) session?.redraw();
}

function setScene(choice: SceneChoice | null): void {
  scene = choice ? new Scene(choice, send) : undefined;
  if (!scene) session?.redraw();
}

/** What can still be had of the models goes with the message: the runtime keeps them when their device is gone. */
async function fail(error: unknown): Promise<void> {
  wanted = 0;
  isBroken = true;
  send({
    ...{ kind: "failed", message: error instanceof Error ? error.message : String(error), kept: await keptModels() },
    batchSize: smallerBatch(error, asked?.settings.batchSize ?? BATCH_SIZE),
  });
}

/** Those that were trained and can be had. */
async function keptModels(): Promise<Kept[]> {
  const kept: Kept[] = [];
  for (const side of session ? sides : []) {
    if (!session || session.stepOf(side) === 0) continue;
    try {
      const { bytes } = await session.kept(side);
      kept.push({ side, step: session.stepOf(side), bytes });
    } catch {} // what is wrong is said elsewhere; what is not listed was not kept
  }
  return kept;
}

send({ kind: "thumbnails", points: thumbnails() });
void live();
