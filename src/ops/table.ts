/**
 * Ops by name, with the form of their attributes: what revives graphs that are plain data (src/trace/). Each is made by
 * the function that graphs are built with, so that what that function simplifies is simplified here too. Every op of
 * registry.ts is here but those that only plans make.
 */
import type { Node } from "../graph/node.ts";
import type { OpDefinition, OpFunction } from "../graph/op.ts";
import { activation, activationKinds } from "./activation.ts";
import { binaryOps, select, unaryOps } from "./arithmetic.ts";
import { attentionOp, attentionReverseOp, attentionTangentOp, attentionTangentReverseOp } from "./attention.ts";
import { attentionOrders } from "./attention-rules.ts";
import { stopGradientOp } from "./control.ts";
import { convolveOp } from "./convolve.ts";
import { linearOp } from "./linear.ts";
import { matmulOp } from "./matmul.ts";
import { matmulEachOp } from "./matmul-each.ts";
import { randomOp } from "./random.ts";
import { maxOp, sumOp } from "./reduce.ts";
import { gatherOp, replaceRowOp, scatterAddOp } from "./rows.ts";
import { broadcast, broadcastOp, concat, concatOp, reshape, reshapeOp, slice, sliceOp, transposeOp } from "./shape.ts";
import { constantOp, stateOp, tableOp } from "./sources.ts";
import { randomKinds } from "./threefry.ts";

/**
 * What an attribute is: an integer or a list of them, which may depend on the number of rows; sizes, a list of at least 1
 * each; any number; a table's numbers; one of these words; any text.
 */
export type AttributeForm = "integer" | "integers" | "sizes" | "number" | "numbers" | "boolean" | "text" | Words;
type Words = readonly string[];

/** Attributes as they come of a file: of this form, and no more is known. */
export type PlainAttributes = Readonly<Record<string, unknown>>;

export interface TableEntry {
  readonly op: OpDefinition;
  /** In the order that graphs have them; null: the op has none. */
  readonly attributes: Readonly<Record<string, AttributeForm>> | null;
  /** Number of inputs; undefined: any but 0. */
  readonly arity: number | undefined;
  /** The node as graphs are built, from attributes of this form that the op's own rules have passed. */
  make(inputs: readonly Node[], attributes: PlainAttributes | null): Node;
}

const dtypes = ["f32", "u32"];
const declared = { shape: "sizes", dtype: dtypes } as const;
const attention = { heads: "integer", order: attentionOrders } as const;

const entries: readonly TableEntry[] = [
  ...unaryOps.map((make) => entry(make.op, 1, null, ([x]) => make(x as Node))),
  ...binaryOps.map((make) => entry(make.op, 2, null, ([a, b]) => make(a as Node, b as Node))),
  entry(select.op, 3, null, ([condition, a, b]) => select(condition as Node, a as Node, b as Node)),
  asIs(stateOp, 0, { name: "text", ...declared }),
  asIs(constantOp, 0, { value: "number", ...declared }),
  asIs(tableOp, 0, { values: "numbers", ...declared }),
  asIs(activation, 1, { kind: activationKinds, order: "integer" }),
  asIs(matmulOp, 2, { transposeLeft: "boolean", transposeRight: "boolean" }),
  asIs(matmulEachOp, 2, null),
  asIs(linearOp, 3, { biasRows: "integer" }),
  asIs(convolveOp, undefined, {
    ...{ down: "integers", across: "integers" },
    ...{ transposeLeft: "boolean", transposeRight: "boolean", biasRows: "integer" },
  }),
  asIs(sumOp, 1, { axes: "integers" }),
  asIs(maxOp, 1, { axes: "integers" }),
  entry(reshapeOp.op, 1, { shape: "sizes" }, ([x], { shape }) => reshape(x as Node, shape)),
  entry(broadcastOp.op, 1, { shape: "sizes" }, ([x], { shape }) => broadcast(x as Node, shape)),
  asIs(transposeOp, 1, { permutation: "integers" }),
  entry(concatOp.op, undefined, { axis: "integer" }, (nodes, { axis }) => concat(nodes, axis)),
  entry(sliceOp.op, 1, { axis: "integer", start: "integer", end: "integer" }, ([x], { axis, start, end }) =>
    slice(x as Node, axis, start, end),
  ),
  asIs(gatherOp, 2, null),
  asIs(scatterAddOp, 2, { rows: "integer" }),
  asIs(replaceRowOp, 3, null),
  asIs(randomOp, 2, { kind: randomKinds, shape: "sizes", stream: "integer", bound: "integer" }),
  asIs(stopGradientOp, 1, null),
  asIs(attentionOp, 1, attention),
  asIs(attentionTangentOp, 2, attention),
  asIs(attentionReverseOp, 2, attention),
  asIs(attentionTangentReverseOp, 3, attention),
];

/** The ops that graphs of plain data may have, by name. */
export const opTable: ReadonlyMap<string, TableEntry> = new Map(entries.map((each) => [each.op.name, each]));

/** An op whose nodes are made as they are: its function simplifies nothing. */
function asIs<Attributes>(
  make: OpFunction<Attributes>,
  arity: number | undefined,
  attributes: TableEntry["attributes"],
): TableEntry {
  return entry(make.op, arity, attributes, make);
}

function entry<Attributes>(
  op: OpDefinition<Attributes>,
  arity: number | undefined,
  attributes: TableEntry["attributes"],
  make: (inputs: readonly Node[], attributes: Attributes) => Node,
): TableEntry {
  return { op, arity, attributes, make: (inputs, given) => make(inputs, given as Attributes) };
}
