/** Passes that few plans take: pages have them on demand. */
import { shareCalls } from "./share-calls.ts";
import { splitRows } from "./split-rows.ts";
import { storeHalves } from "./store-halves.ts";

export const morePasses = { shareCalls, splitRows, storeHalves };

export type MorePasses = typeof morePasses;
