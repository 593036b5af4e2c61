/** Every op. The op tests and the kernel tests run over this list. */
import type { OpDefinition } from "../graph/op.ts";
import { activation } from "./activation.ts";
import { arithmeticOps } from "./arithmetic.ts";
import { stopGradientOp } from "./control.ts";
import { linearOp } from "./linear.ts";
import { matmulOp } from "./matmul.ts";
import { mlpFlowOp } from "./mlp-flow.ts";
import { randomOp } from "./random.ts";
import { maxOp, sumOp } from "./reduce.ts";
import { gatherOp, replaceRowOp, scatterAddOp } from "./rows.ts";
import { broadcastOp, concatOp, reshapeOp, sliceOp, transposeOp } from "./shape.ts";
import { constantOp, stateOp, tableOp } from "./sources.ts";

export const ops: readonly OpDefinition[] = [
  stateOp.op,
  constantOp.op,
  tableOp.op,
  ...arithmeticOps,
  activation.op,
  matmulOp.op,
  linearOp.op,
  sumOp.op,
  maxOp.op,
  reshapeOp.op,
  broadcastOp.op,
  transposeOp.op,
  concatOp.op,
  sliceOp.op,
  gatherOp.op,
  scatterAddOp.op,
  replaceRowOp.op,
  randomOp.op,
  stopGradientOp.op,
  mlpFlowOp.op,
];
