/** Attention and its reverse by width of a head, length and tangents; and products of many pairs of matrices. */
import { attention, attentionReverse } from "../src/kernels/attention.ts";
import { matmulEach } from "../src/kernels/matmul-each.ts";
import type { OtherCall, Work } from "./gpu-report-calls.ts";
import { place } from "./gpu-report-operands.ts";

/** Heads of all samples together, of which a sample has four. */
const [BATCH, HEADS] = [64, 4];

export function attentionCalls(): OtherCall[] {
  const sizes = [16, 32, 64].flatMap((width) => [16, 256].map((length) => ({ width, length })));
  return sizes.flatMap(({ width, length }) => [
    ...[0, 1, 3].map((tangents) => attentionCall(width, length, tangents, false)),
    ...[0, 1, 3].map((tangents) => attentionCall(width, length, tangents, true)),
  ]);
}

/** A layer of [64, length, 3 x 4 width], its parts head by head. */
function attentionCall(width: number, length: number, tangents: number, reverse: boolean): OtherCall {
  const kernel = reverse ? attentionReverse.name : attention.name;
  const narrow = (1 + tangents) * BATCH * length * HEADS * width;
  const joined = place("joined", 3 * narrow);
  const bindings = {
    ...{ joined, out: place("out", reverse ? 3 * narrow : narrow) },
    ...(reverse && { cotangents: place("cotangents", narrow) }),
  };
  const strides = { kindStride: HEADS * width, headStride: width, scale: 1 / Math.sqrt(width) };
  const parameters = { batch: BATCH, length, heads: HEADS, width, tangents, ...strides };
  const name = `${kernel}, width ${width}, ${tangents} tangents`;
  const shape = `${BATCH} x ${HEADS} heads, ${length} places`;
  const call = { kernel, label: name, parameters, bindings, flops: 0, bytes: 0 };
  return { name, shape, call, work: workOf(width, length, tangents, reverse) };
}

/**
 * What the result takes: of the primal two products of queries by keys by width, of each tangent four more, of reverse
 * two and a half times as many. Operands once: what workgroups read again, caches serve.
 */
function workOf(width: number, length: number, tangents: number, reverse: boolean): Work {
  const products = (reverse ? 5 : 2) * (1 + 2 * tangents);
  const rows = (1 + tangents) * BATCH * HEADS * length * width;
  return { flops: 2 * products * BATCH * HEADS * length * length * width, bytes: 4 * rows * (reverse ? 7 : 4) };
}

/** The scores of heads too wide for the kernel, and what their weights give. */
export function productsOfPairs(): OtherCall[] {
  const [length, width] = [49, 128];
  const row = 3 * HEADS * width;
  const joined = place("joined", BATCH * length * row);
  const pairs = place("pairs", BATCH * HEADS * length * length);
  const ofHeads = { batch0: BATCH, batch1: HEADS, left0: length * row, left1: width, leftRow: row, leftDepth: 1 };
  const call = (
    bindings: OtherCall["call"]["bindings"],
    parameters: Record<string, number>,
    shape: string,
  ): OtherCall => {
    const { rows = 1, columns = 1, depth = 1 } = parameters;
    const name = `${matmulEach.name}, ${shape}`;
    return {
      name,
      shape: `${BATCH * HEADS} of ${rows} x ${depth} by ${depth} x ${columns}`,
      call: { kernel: matmulEach.name, label: name, parameters, bindings, flops: 0, bytes: 0 },
      work: {
        flops: 2 * BATCH * HEADS * rows * columns * depth,
        bytes: 4 * BATCH * HEADS * (rows * depth + depth * columns + rows * columns),
      },
    };
  };
  return [
    call(
      { left: joined, right: joined, out: pairs },
      {
        ...{ ...ofHeads, rows: length, columns: length, depth: width, scale: 1 / Math.sqrt(width) },
        ...{ right0: length * row, right1: width, rightDepth: 1, rightColumn: row },
        ...{ out0: HEADS * length * length, out1: length * length, outRow: length },
      },
      "scores",
    ),
    call(
      { left: pairs, right: joined, out: place("out", BATCH * length * HEADS * width) },
      {
        ...{ batch0: BATCH, batch1: HEADS, rows: length, columns: width, depth: length, scale: 1 },
        ...{ left0: HEADS * length * length, left1: length * length, leftRow: length, leftDepth: 1 },
        ...{ right0: length * row, right1: width, rightDepth: row, rightColumn: 1 },
        ...{ out0: length * HEADS * width, out1: width, outRow: HEADS * width },
      },
      "values by weights",
    ),
  ];
}
