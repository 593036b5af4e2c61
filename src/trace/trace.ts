/**
 * A trace: a graph that is plain data, with the number of rows left open. What a function builds crosses to a worker and
 * lies in files as this, where the function itself cannot go. `open.ts` makes graphs of it again.
 */
import { UnsupportedError } from "../errors.ts";
import { topologicalOrder } from "../graph/graph.ts";
import type { DType, Node, Shape } from "../graph/node.ts";
import { state } from "../ops/sources.ts";
import { opTable } from "../ops/table.ts";
import { attributeOver, type Size, sizesOver } from "./plain.ts";

/** What a graph is given, by name. */
export interface TraceInput {
  readonly name: string;
  readonly shape: readonly Size[];
  readonly dtype: DType;
}

export interface TraceNode {
  readonly op: string;
  /** Values by number: the inputs of the trace first, in their order, then its nodes; each before its users. */
  readonly inputs: readonly number[];
  /** As the table of ops has them, each in its plain form; left out where the op has none. */
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly shape: readonly Size[];
  readonly dtype: DType;
}

/** Plain JSON. */
export interface Trace {
  readonly inputs: readonly TraceInput[];
  readonly nodes: readonly TraceNode[];
  /** Numbers of values, by name. */
  readonly outputs: Readonly<Record<string, number>>;
}

/**
 * What a function is traced at: primes, so that a number of rows is mistaken for no size that a network has, nor for a
 * multiple of one. The third shows whether what the first two say is linear.
 */
const ROWS = [101, 211, 163] as const;

/**
 * A function that builds a graph of so many rows.
 *
 * @param more - makes further inputs on the way, such as random numbers: as many, with the same names, for any rows.
 */
export type Build = (
  inputs: ReadonlyMap<string, Node>,
  rows: number,
  more: (name: string, shape: Shape, dtype: DType) => Node,
) => Readonly<Record<string, Node>>;

/**
 * The trace of what `build` builds.
 *
 * @param subject - what messages call it, such as 'network "mine"'.
 * @throws {@link UnsupportedError} when the graph has other nodes for other numbers of rows, an attribute that is not
 * linear in it, or an op that traces do not know: the message names node and attribute.
 */
export function traceOf(subject: string, inputs: readonly TraceInput[], build: Build): Trace {
  const built = ROWS.map((rows) => builtAt(inputs, build, rows));
  const [first] = built as [Built];
  for (const [i, { order, outputs }] of built.entries()) {
    if (order.length !== first.order.length || Object.keys(outputs).join() !== Object.keys(first.outputs).join()) {
      const [few, many] = [first.order.length, order.length];
      const given = `${few} nodes for ${ROWS[0]} rows and ${many} for ${ROWS[i]}`;
      throw refused(subject, given, "as many nodes for any number of rows", LOOPS);
    }
  }
  return {
    inputs: [...inputs, ...furtherInputs(subject, built)],
    nodes: first.order.map((_, i) => nodeOver(subject, i, built)),
    outputs: first.outputs,
  };
}

/** The inputs that were made on the way. */
function furtherInputs(subject: string, built: readonly Built[]): TraceInput[] {
  const [first] = built as [Built];
  return first.further.map(({ name, dtype }, i) => {
    const all = built.map(({ further }) => further[i]);
    const shapes = all.map((each) => each?.shape);
    const shape = sizesOver(shapes, ROWS);
    const same = built.every(({ further }) => further.length === first.further.length);
    if (shape && same && all.every((each) => each?.name === name && each.dtype === dtype))
      return { name, shape, dtype };
    throw refused(
      `${subject}, ${name}`,
      atRows(shapes),
      "the same inputs, of sizes that are linear in the rows",
      LOOPS,
    );
  });
}

const LOOPS =
  "Build the graph of whole batches: no loop over its rows, and nothing that depends on how many there are.";

interface Built {
  /** Inputs made on the way, of fixed shapes. */
  readonly further: readonly TraceInput[];
  /** Without the inputs. */
  readonly order: readonly Node[];
  readonly numbers: ReadonlyMap<Node, number>;
  readonly outputs: Readonly<Record<string, number>>;
}

function builtAt(inputs: readonly TraceInput[], build: Build, rows: number): Built {
  const given = new Map(inputs.map((input) => [input.name, placeholder(input, rows)]));
  const placeholders = new Set<Node>(given.values());
  const further: TraceInput[] = [];
  const outputs = build(given, rows, (name, shape, dtype) => {
    const node = placeholder({ name, shape, dtype }, rows);
    placeholders.add(node);
    further.push({ name, shape, dtype });
    return node;
  });
  const order = topologicalOrder(Object.values(outputs)).filter((node) => !placeholders.has(node));
  const numbers = new Map([...placeholders, ...order].map((node, number) => [node, number]));
  return {
    further,
    order,
    numbers,
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, node]) => [name, numbers.get(node) as number])),
  };
}

/** A node in the place of an input: a state, which nothing is known of. */
export function placeholder({ name, shape, dtype }: TraceInput, rows: number): Node {
  const sizes: Shape = shape.map((size) => (typeof size === "number" ? size : size.perRow * rows + size.plus));
  return state({ name: `trace.${name}`, shape: sizes, dtype });
}

/** Node `i` of every graph as one. */
function nodeOver(subject: string, i: number, built: readonly Built[]): TraceNode {
  const nodes = built.map(({ order }) => order[i] as Node);
  const [first] = nodes as [Node];
  const { name } = first.op;
  const where = `${subject}, node ${i} (${name})`;
  const inputs = built.map(({ numbers }, k) => (nodes[k] as Node).inputs.map((input) => numbers.get(input) as number));
  const found = nodes.map(({ op }, k) => `${op.name} of ${(inputs[k] as number[]).join(", ")}, ${nodes[k]?.dtype}`);
  if (found.some((each) => each !== found[0])) {
    throw refused(where, found.join("; "), "the same op of the same nodes for any number of rows", LOOPS);
  }
  const entry = opTable.get(name);
  if (!entry) throw refused(where, name, `an op that graphs of plain data may have`, "Build it of other ops.");
  const shape = sizesOver(
    nodes.map((node) => node.shape),
    ROWS,
  );
  if (!shape) throw refused(`${where}, shape`, atRows(nodes.map((node) => node.shape)), LINEAR, LOOPS);
  const attributes = Object.entries(entry.attributes ?? {}).map(([key, form]) => {
    const values = nodes.map((node) => (node.attributes as Readonly<Record<string, unknown>>)[key]);
    const plain = attributeOver(form, values, ROWS);
    if (plain === undefined) throw refused(`${where}, ${key}`, atRows(values), LINEAR, LOOPS);
    return [key, plain] as const;
  });
  return {
    op: name,
    inputs: inputs[0] as number[],
    ...(entry.attributes ? { attributes: Object.fromEntries(attributes) } : {}),
    shape,
    dtype: first.dtype,
  };
}

const LINEAR = "a fixed value, or an integer that is linear in the number of rows";

function atRows(values: readonly unknown[]): string {
  return values.map((value, i) => `${JSON.stringify(value)} for ${ROWS[i]} rows`).join(", ");
}

function refused(subject: string, given: string, expected: string, remedy: string): UnsupportedError {
  return new UnsupportedError({ subject: `trace of ${subject}`, given, expected, remedy });
}
