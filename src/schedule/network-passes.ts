/** Passes that plans of networks with norms take beside the others. */
import { morePasses as others } from "./more-passes.ts";
import { recompute } from "./recompute.ts";

export const morePasses = { ...others, recompute };
