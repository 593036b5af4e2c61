/** The tab's work: what is asked is drawn first, then training goes on, with a picture now and then. */
import { breath, Inbox } from "../inbox.ts";
import type { FromWorker, News, Question, ToWorker } from "./messages.ts";
import { Session } from "./session.ts";
import { systemNamed } from "./systems.ts";

const inbox = new Inbox<ToWorker>();
let latest = 0;
let session: Session | undefined;
let question: Question | undefined;
let isTraining = false;
/** What was drawn last, and when. */
let drawn:
  | { readonly question: Question; readonly step: number; readonly at: number; readonly took: number }
  | undefined;
/** While training, pictures may take this share of the time. */
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
    case "weigh":
      await session?.weigh(message.weight);
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

async function open({ attempt, system, address, backend, weight }: ToWorker & { kind: "open" }): Promise<void> {
  latest = attempt;
  isTraining = false;
  drawn = undefined;
  session?.close();
  session = undefined;
  const answer = await fetch(address).catch(() => undefined);
  if (!answer?.ok)
    throw new Error("The shipped model could not be had: without a network it is there only once it was opened.");
  const bytes = new Uint8Array(await answer.arrayBuffer());
  session = await Session.open(systemNamed(system), bytes, { backend, weight, send });
}

/** One piece of what there is to do; false when there is nothing. */
async function work(): Promise<boolean> {
  if (!session || !question) return false;
  const isOther = drawn?.question !== question;
  const isOld = drawn?.step !== session.step;
  const isDue = !drawn || performance.now() - drawn.at > drawn.took / SHARE;
  if (isOther || (isOld && (!isTraining || isDue))) {
    const [asked, begun] = [question, performance.now()];
    await session.draw(asked, inbox.signal);
    const at = performance.now();
    drawn = { question: asked, step: session.step, at, took: at - begun };
    return true;
  }
  if (!isTraining) return false;
  await session.turn();
  await breath();
  return true;
}

function fail(message: string): void {
  isTraining = false;
  send({ kind: "failed", message: message });
}

void inbox.live({ hear, work, fail });
