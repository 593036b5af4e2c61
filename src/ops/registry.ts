/** Every op with its cases. The op tests and the kernel tests run over this list; nothing in src/ imports it. */
import type { OpCase, OpCases, OpDefinition } from "../graph/op.ts";
import { activation, activationCases } from "./activation.ts";
import { arithmeticOps } from "./arithmetic.ts";
import {
  attentionCases,
  attentionOp,
  attentionReverseCases,
  attentionReverseOp,
  attentionTangentCases,
  attentionTangentOp,
  attentionTangentReverseCases,
  attentionTangentReverseOp,
} from "./attention.ts";
import { stopGradientCases, stopGradientOp } from "./control.ts";
import { convolveCases, convolveOp } from "./convolve.ts";
import { linearCases, linearOp } from "./linear.ts";
import { matmulCases, matmulOp } from "./matmul.ts";
import { matmulEachCases, matmulEachOp } from "./matmul-each.ts";
import { mlpFlowCases, mlpFlowOp } from "./mlp-flow.ts";
import { randomCases, randomOp } from "./random.ts";
import { maxOp, reduceCases, sumOp } from "./reduce.ts";
import { gatherCases, gatherOp, replaceRowCases, replaceRowOp, scatterAddCases, scatterAddOp } from "./rows.ts";
import {
  broadcastCases,
  broadcastOp,
  concatCases,
  concatOp,
  reshapeCases,
  reshapeOp,
  sliceCases,
  sliceOp,
  transposeCases,
  transposeOp,
} from "./shape.ts";
import { constantCases, constantOp, stateCases, stateOp, tableCases, tableOp } from "./sources.ts";

export interface RegisteredOp {
  readonly op: OpDefinition;
  readonly cases: readonly OpCase<unknown>[];
}

export const ops: readonly RegisteredOp[] = [
  registered(stateOp, stateCases),
  registered(constantOp, constantCases),
  registered(tableOp, tableCases),
  ...arithmeticOps().map(([make, cases]) => registered(make, cases)),
  registered(activation, activationCases),
  registered(matmulOp, matmulCases),
  registered(matmulEachOp, matmulEachCases),
  registered(linearOp, linearCases),
  registered(convolveOp, convolveCases),
  registered(sumOp, reduceCases),
  registered(maxOp, reduceCases),
  registered(reshapeOp, reshapeCases),
  registered(broadcastOp, broadcastCases),
  registered(transposeOp, transposeCases),
  registered(concatOp, concatCases),
  registered(sliceOp, sliceCases),
  registered(gatherOp, gatherCases),
  registered(scatterAddOp, scatterAddCases),
  registered(replaceRowOp, replaceRowCases),
  registered(randomOp, randomCases),
  registered(stopGradientOp, stopGradientCases),
  registered(mlpFlowOp, mlpFlowCases),
  registered(attentionOp, attentionCases),
  registered(attentionTangentOp, attentionTangentCases),
  registered(attentionReverseOp, attentionReverseCases),
  registered(attentionTangentReverseOp, attentionTangentReverseCases),
];

function registered<Attributes>(
  { op }: { readonly op: OpDefinition<Attributes> },
  cases: OpCases<Attributes>,
): RegisteredOp {
  return { op, cases: cases() };
}
