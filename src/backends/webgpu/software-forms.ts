/**
 * What only software adapters run, in a chunk of its own: they need it, and a page on a GPU does not download it.
 * docs/kernels/linear.md says why these are faster there.
 */
import { softwareShaders } from "../../generated/software-shaders.ts";
import { onQuads, quadChain } from "./chain-quads.ts";
import { panelDispatches } from "./linear-panel.ts";
import type { SoftwareForms } from "./lower.ts";

export const softwareForms: SoftwareForms = {
  shaders: softwareShaders,
  panelDispatches,
  quads: { onQuads, quadChain },
};
