/** The work of a tab with a shipped model: what is asked is drawn first, then training goes on, with a picture now and then. */
import { Inbox } from "../inbox.ts";
import type { Asked, OpenMessage, Trained } from "./messages.ts";

export interface ShippedSession<Question> {
  /** Steps trained here. */
  readonly step: number;
  /** Told piece by piece; given up once the signal is aborted. */
  draw(question: Question, signal: AbortSignal): Promise<void>;
  turn(): Promise<void>;
  weigh?(weight: number): Promise<void>;
  close(): void;
}

interface Shown<Question> {
  readonly question: Question;
  readonly step: number;
  readonly at: number;
  readonly took: number;
}

/** While training, pictures may take this share of the time. */
const SHARE = 1 / 3;

/** A worker's life. @param opened - a session of what `open` names, which tells its news by `send`. */
export function liveShipped<Open extends OpenMessage, Question, News>(
  opened: (message: Open, send: (news: News | Trained) => void) => Promise<ShippedSession<Question>>,
): Promise<never> {
  const inbox = new Inbox<OpenMessage | Asked<Question>>();
  let latest = 0;
  let session: ShippedSession<Question> | undefined;
  let question: Question | undefined;
  let isTraining = false;
  let shown: Shown<Question> | undefined;

  const send = (news: News | Trained) => postMessage({ ...news, attempt: latest });
  const open = async (message: Open) => {
    latest = message.attempt;
    isTraining = false;
    shown = undefined;
    session?.close();
    session = undefined;
    session = await opened(message, send);
  };
  return inbox.live({
    async hear(message) {
      switch (message.kind) {
        case "open":
          if (!inbox.has("open")) await open(message as Open); // the tab's own page sends it
          return;
        case "ask":
          if (!inbox.has("ask")) ({ question } = message);
          return;
        case "weigh":
          await session?.weigh?.(message.weight);
          return;
        case "start":
          isTraining = session !== undefined;
          return;
        case "pause":
          isTraining = false;
          send({ kind: "paused" });
          return;
      }
    },
    async work() {
      if (!session || question === undefined) return false;
      const isOther = shown?.question !== question;
      const isOld = shown?.step !== session.step;
      const isDue = !shown || performance.now() - shown.at > shown.took / SHARE;
      if (isOther || (isOld && (!isTraining || isDue))) {
        const [asked, begun] = [question, performance.now()];
        await session.draw(asked, inbox.signal);
        const at = performance.now();
        shown = { question: asked, step: session.step, at, took: at - begun };
        return true;
      }
      if (!isTraining) return false;
      await session.turn();
      return true;
    },
    fail(message) {
      isTraining = false;
      send({ kind: "failed", message });
    },
  });
}

export async function bytesAt(address: string): Promise<Uint8Array> {
  const answer = await fetch(address).catch(() => undefined);
  if (answer?.ok) return new Uint8Array(await answer.arrayBuffer());
  throw new Error("The shipped model could not be had: without a network it is there only once it was opened.");
}
