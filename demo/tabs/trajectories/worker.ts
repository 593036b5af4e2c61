/** The tab's work: a shipped model's trajectories, and training. */
import { bytesAt, liveShipped } from "../shipped/work.ts";
import type { News, Open, Question } from "./messages.ts";
import { Session } from "./session.ts";
import { systemNamed } from "./systems.ts";

void liveShipped<Open, Question, News>(async ({ system, address, backend, weight }, send) =>
  Session.open(systemNamed(system), await bytesAt(address), { backend, weight, send }),
);
