/** Passes that few plans take: pages have them on demand. */
import type { recompute } from "./recompute.ts";
import { shareCalls } from "./share-calls.ts";
import { splitRows } from "./split-rows.ts";
import { storeHalves } from "./store-halves.ts";

export const morePasses = { shareCalls, splitRows, storeHalves };

/** `recompute`: where they are those of networks. */
export type MorePasses = typeof morePasses & { readonly recompute?: typeof recompute };
