/** The tab's work: the film that is asked for first, then training, with a film now and then. */
import { Inbox } from "../inbox.ts";
import type { FromWorker, News, Question, ToWorker } from "./messages.ts";
import { Session } from "./session.ts";

const inbox = new Inbox<ToWorker>();
let latest = 0;
let session: Session | undefined;
let question: Question | undefined;
let isTraining = false;
let shown:
  | { readonly question: Question; readonly step: number; readonly at: number; readonly took: number }
  | undefined;
/** While training, films may take this share of the time. */
const SHARE = 1 / 3;

function send(news: News): void {
  const message: FromWorker = { ...news, attempt: latest };
  postMessage(message);
}

async function hear(message: ToWorker): Promise<void> {
  switch (message.kind) {
    case "open":
      if (!inbox.has("open")) await open(message);
      return;
    case "ask":
      if (!inbox.has("ask")) ({ question } = message);
      return;
    case "start":
      isTraining = session !== undefined;
      return;
    case "pause":
      isTraining = false;
      send({ kind: "paused" });
      return;
  }
}

async function open({ attempt, model, digits, backend }: ToWorker & { kind: "open" }): Promise<void> {
  latest = attempt;
  isTraining = false;
  shown = undefined;
  session?.close();
  session = undefined;
  const files = await Promise.all([model, digits].map(bytesAt));
  session = await Session.open({ model: files[0] as Uint8Array, digits: files[1] as Uint8Array }, { backend, send });
}

async function bytesAt(address: string): Promise<Uint8Array> {
  const answer = await fetch(address).catch(() => undefined);
  if (answer?.ok) return new Uint8Array(await answer.arrayBuffer());
  throw new Error("The shipped model could not be had: without a network it is there only once it was opened.");
}

/** One piece of what there is to do; false when there is nothing. */
async function work(): Promise<boolean> {
  if (!session || !question) return false;
  const isOther = shown?.question !== question;
  const isOld = shown?.step !== session.step;
  const isDue = !shown || performance.now() - shown.at > shown.took / SHARE;
  if (isOther || (isOld && (!isTraining || isDue))) {
    const [asked, begun] = [question, performance.now()];
    await session.film(asked, inbox.signal);
    const at = performance.now();
    shown = { question: asked, step: session.step, at, took: at - begun };
    return true;
  }
  if (!isTraining) return false;
  await session.turn();
  return true;
}

function fail(message: string): void {
  isTraining = false;
  send({ kind: "failed", message });
}

void inbox.live({ hear, work, fail });
