/** The tab's work: a shipped model's films, and training. */
import { bytesAt, liveShipped } from "../shipped/work.ts";
import type { News, Open, Question } from "./messages.ts";
import { Session } from "./session.ts";

void liveShipped<Open, Question, News>(async ({ model, digits, backend }, send) => {
  const files = { model: await bytesAt(model), digits: await bytesAt(digits) };
  return Session.open(files, { backend, send });
});
