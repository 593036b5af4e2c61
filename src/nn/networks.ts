/** Networks beside the MLP, by kind: a chunk of their own, which pages load that have one or read a file of one. */
import { cnn } from "./cnn.ts";
import type { Network } from "./network.ts";
import { residualMlp } from "./residual-mlp.ts";
import { sit } from "./sit.ts";
import { transformer } from "./transformer.ts";
import { unet1d } from "./unet1d.ts";
import { unet2d } from "./unet2d.ts";

export const networks: Readonly<Record<string, (config: never) => Network>> = {
  ...{ residualMlp, unet1d, cnn, transformer, unet2d, sit },
};
