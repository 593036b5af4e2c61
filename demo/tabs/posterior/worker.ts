/** The tab's work, one thing after another: answers first, then training, then what is worth knowing once all is still. */
import { breath, Inbox, messageOf } from "../inbox.ts";
import type { Answer, FromWorker, News, PosteriorSettings, ToWorker } from "./messages.ts";
import { Fault } from "./script/tokens.ts";
import { Session } from "./session.ts";

const inbox = new Inbox<ToWorker>();

let latest = 0;
let session: Session | undefined;
let observation: readonly [number, number] | undefined;
let isTraining = false;
/** What the last answer was about, and when a question came. */
let answered:
  | { readonly step: number; readonly isStill: boolean; readonly at: number; readonly answer: Answer }
  | undefined;
let askedAt = 0;
let isCompared = false;
let judged = { step: -1, at: 0 };

/** While training, pictures come so often; a visitor who drags has so long a rest from it. */
const PICTURES_EVERY = 350;
const JUDGED_EVERY = 1500;
const DRAG_MILLISECONDS = 400;
const STILL_MILLISECONDS = 180;

function send(news: News): void {
  const message: FromWorker = { ...news, attempt: latest };
  postMessage(message);
}

/** One piece of what there is to do; false when there is nothing. */
async function work(): Promise<boolean> {
  if (!session || !observation) return false;
  const now = performance.now();
  const isOther = answered?.answer.observation !== observation;
  const isOld = answered?.step !== session.step;
  if (isOther || (isOld && (!isTraining || now - (answered?.at ?? 0) > PICTURES_EVERY))) {
    await answer(observation, false);
    return true;
  }
  if (now - askedAt < (isTraining ? DRAG_MILLISECONDS : STILL_MILLISECONDS)) {
    await breath(20);
    return true;
  }
  if (isTraining) {
    await session.turn();
    if (session.isDone) pause(true);
    if (performance.now() - judged.at > JUDGED_EVERY || session.isDone) await judge();
    return true;
  }
  if (!answered?.isStill) await answer(observation, true);
  else if (session.step > 0 && judged.step !== session.step) await judge();
  else if (!isCompared && session.step > 0) {
    await session.compare(answered.answer, inbox.signal);
    isCompared = true;
  } else return false;
  return true;
}

async function answer(about: readonly [number, number], isStill: boolean): Promise<void> {
  if (!session) return;
  const given = await session.answer(about, isStill);
  answered = { step: session.step, isStill, at: performance.now(), answer: given };
  isCompared = false;
  send({ kind: "answer", answer: given });
}

async function judge(): Promise<void> {
  if (!session) return;
  await session.judge();
  judged = { step: session.step, at: performance.now() };
}

function pause(isDone: boolean): void {
  isTraining = false;
  send({ kind: "paused", isDone });
}

async function hear(message: ToWorker): Promise<void> {
  switch (message.kind) {
    case "prepare":
      if (inbox.has("prepare")) return; // another one waits already
      return open(message.attempt, message.settings);
    case "observe":
      if (inbox.has("observe")) return;
      ({ observation } = message);
      askedAt = performance.now();
      return;
    case "start":
      isTraining = session !== undefined && !session.isDone;
      if (!isTraining) send({ kind: "paused", isDone: session?.isDone ?? false });
      return;
    case "pause":
      return pause(false);
  }
}

/** What there was stays until there is something else. */
async function open(attempt: number, settings: PosteriorSettings): Promise<void> {
  latest = attempt;
  isTraining = false;
  try {
    const next = await Session.open(settings, (news) => {
      if (news.kind === "simulated") ({ observation } = news);
      send(news);
    });
    session?.close();
    session = next;
    answered = undefined;
    judged = { step: -1, at: 0 };
  } catch (error) {
    send({ kind: "refused", message: messageOf(error), ...(error instanceof Fault ? { line: error.line } : {}) });
  }
}

function fail(message: string): void {
  isTraining = false;
  send({ kind: "failed", message });
  session?.close();
  session = undefined;
}

void inbox.live({ hear, work, fail });
