/** Graphs of traces: each field of one is checked before anything is made of it. */
import { CheckpointError, ConfigError, DivflowError } from "../errors.ts";
import { type DType, type Node, type Shape, sameShape, sizeOf } from "../graph/node.ts";
import { isRecord } from "../graph/options.ts";
import { opTable, type PlainAttributes, type TableEntry } from "../ops/table.ts";
import { attributeAt } from "./plain.ts";
import { damage, fieldsOf } from "./sealed.ts";
import { placeholder, type Trace, type TraceInput, type TraceNode } from "./trace.ts";

/** A trace that was found to be one. */
export interface OpenTrace {
  readonly inputs: readonly TraceInput[];
  /**
   * Its graph at so many rows, as the function would have built it of these inputs.
   *
   * @param inputs - by name, those of the trace.
   * @returns its outputs, by name.
   * @throws {@link ConfigError} when an input is missing or has another shape.
   * @throws {@link CheckpointError} when the graph cannot be built at this number of rows: the message names the node.
   */
  instantiate(rows: number, inputs: ReadonlyMap<string, Node>): ReadonlyMap<string, Node>;
}

/** What a trace has to be. */
export interface TraceRules {
  /** Its inputs, in this order; left out: whatever it says. */
  readonly inputs?: readonly TraceInput[];
  /** Its outputs. */
  readonly outputs: readonly TraceInput[];
  /** Ops that it may not have, such as "state". */
  readonly without?: readonly string[];
}

/** Numbers of rows that a trace is tried at: what is linear is the same where it is so at two. */
const TRIED = [113, 127];

/**
 * @param subject - what messages call it, such as 'network "mine"'.
 * @throws {@link CheckpointError} when `given` is no trace, or one that cannot be built: the message names the node.
 */
export function openTrace(given: unknown, subject: string, rules: TraceRules): OpenTrace {
  const { without = [] } = rules;
  const { inputs, nodes, outputs } = checkedTrace(given, subject);
  if (rules.inputs) expectValues(`${subject}, inputs`, inputs, rules.inputs);
  const values = [...inputs, ...nodes];
  const named = Object.entries(outputs).map(([name, number]) => ({ ...(values[number] as TraceInput), name }));
  expectValues(`${subject}, outputs`, named, rules.outputs);
  const entries = nodes.map(({ op }, i) => {
    const entry = opTable.get(op);
    if (entry && !without.includes(op)) return entry;
    throw damage(`${subject}, node ${i}, op`, op, "an op that such a graph may have");
  });
  const instantiate: OpenTrace["instantiate"] = (rows, values) => {
    const made: Node[] = inputs.map((input) => inputOf(input, rows, values));
    nodes.forEach((node, i) => {
      made.push(revived(`${subject}, node ${i} (${node.op})`, node, entries[i] as TableEntry, made, rows));
    });
    return new Map(Object.entries(outputs).map(([name, number]) => [name, made[number] as Node]));
  };
  for (const rows of TRIED) {
    instantiate(rows, new Map(inputs.map((input) => [input.name, placeholder(input, rows)])));
  }
  return { inputs, instantiate };
}

/** Passes when these are the values that are expected, by name, shape and type, in their order. */
function expectValues(where: string, given: readonly TraceInput[], expected: readonly TraceInput[]): void {
  const words = ({ name, shape, dtype }: TraceInput) =>
    `${name}: ${dtype} ${TRIED.map((rows) => `[${attributeAt("sizes", shape, rows)}]`).join(", ")}`;
  const [own, wanted] = [given.map(words), expected.map(words)];
  const wrong = wanted.findIndex((each, i) => own[i] !== each);
  if (wrong < 0 && own.length === wanted.length) return;
  const at = wrong < 0 ? wanted.length : wrong;
  throw damage(`${where}, ${at}`, own[at] ?? "nothing", wanted[at] ?? "no more");
}

function inputOf({ name, shape, dtype }: TraceInput, rows: number, values: ReadonlyMap<string, Node>): Node {
  const value = values.get(name);
  const expected = attributeAt("sizes", shape, rows) as Shape;
  if (value && value.dtype === dtype && sameShape(value.shape, expected)) return value;
  throw new ConfigError({
    subject: `input "${name}" of a traced graph`,
    given: value ? `${value.dtype} [${value.shape.join(", ")}]` : "nothing",
    expected: `${dtype} [${expected.join(", ")}]`,
    remedy: "Give every input that the graph was traced with, a row for each point.",
  });
}

function revived(where: string, node: TraceNode, { op, attributes, make }: TableEntry, made: Node[], rows: number) {
  const inputs = node.inputs.map((number) => made[number] as Node);
  const own = attributes && attributesAt(where, attributes, node.attributes, rows);
  const written = attributeAt("sizes", node.shape, rows) as Shape | undefined;
  if (!written || !Number.isSafeInteger(sizeOf(written))) {
    throw damage(`${where}, shape`, node.shape, `sizes of at least 1 for ${rows} rows`);
  }
  let found: Node;
  try {
    const shape = op.shape(
      inputs.map((input) => input.shape),
      own,
    );
    const dtypes: DType[] = inputs.map((input) => input.dtype);
    const dtype = op.dtype?.(dtypes, own) ?? "f32";
    if (!sameShape(shape, written)) throw damage(`${where}, shape`, written, `[${shape.join(", ")}] for ${rows} rows`);
    if (dtype !== node.dtype) throw damage(`${where}, dtype`, node.dtype, dtype);
    found = make(inputs, own);
  } catch (error) {
    if (!(error instanceof DivflowError) || error instanceof CheckpointError) throw error;
    const { subject, given, expected } = error.facts;
    throw damage(`${where}, ${subject}`, given, expected, error);
  }
  return found;
}

function attributesAt(
  where: string,
  forms: NonNullable<TableEntry["attributes"]>,
  given: TraceNode["attributes"],
  rows: number,
): PlainAttributes {
  return Object.fromEntries(
    Object.entries(forms).map(([key, form]) => {
      const value = attributeAt(form, given?.[key], rows);
      if (value === undefined) throw damage(`${where}, ${key}`, given?.[key] ?? "nothing", nameOf(form));
      return [key, value];
    }),
  );
}

function nameOf(form: NonNullable<TableEntry["attributes"]>[string]): string {
  return typeof form === "string" ? `${form === "boolean" ? "true or false" : form}` : `one of ${form.join(", ")}`;
}

/** All that can be said without a number of rows. */
function checkedTrace(given: unknown, subject: string): Trace {
  const { inputs, nodes, outputs } = fieldsOf(subject, given, ["inputs", "nodes", "outputs"]);
  if (!Array.isArray(inputs)) throw damage(`${subject}, inputs`, inputs, "a list");
  if (!Array.isArray(nodes)) throw damage(`${subject}, nodes`, nodes, "a list");
  const names = new Set<unknown>();
  for (const [i, input] of inputs.entries()) {
    const { name, shape, dtype } = fieldsOf(`${subject}, input ${i}`, input, ["name", "shape", "dtype"]);
    if (typeof name !== "string" || names.has(name)) throw damage(`${subject}, input ${i}`, name, "a name of its own");
    names.add(name);
    for (const rows of TRIED) {
      const sizes = attributeAt("sizes", shape, rows) as Shape | undefined;
      const fits = sizes && Number.isSafeInteger(sizeOf(sizes));
      if (!fits) throw damage(`${subject}, input "${name}", shape`, shape, "sizes of at least 1");
    }
    if (dtype !== "f32" && dtype !== "u32") throw damage(`${subject}, input "${name}", dtype`, dtype, "f32 or u32");
  }
  for (const [i, node] of nodes.entries()) checkNode(`${subject}, node ${i}`, node, inputs.length + i);
  if (!isRecord(outputs)) throw damage(`${subject}, outputs`, outputs, "numbers of values by name");
  for (const [name, number] of Object.entries(outputs)) {
    checkNumber(`${subject}, output "${name}"`, number, inputs.length + nodes.length);
  }
  return given as Trace;
}

/** @param before - values before it, which are all that it may read: so there are no cycles. */
function checkNode(where: string, given: unknown, before: number): void {
  const op = isRecord(given) && typeof given["op"] === "string" ? given["op"] : undefined;
  const entry = opTable.get(op ?? "");
  if (!entry) throw damage(`${where}, op`, op ?? "none", `one of ${[...opTable.keys()].join(", ")}`);
  const named = `${where} (${op})`;
  const keys = ["op", "inputs", ...(entry.attributes ? ["attributes"] : []), "shape", "dtype"];
  const { inputs, attributes, shape } = fieldsOf(named, given, keys);
  if (!Array.isArray(inputs) || (entry.arity === undefined ? inputs.length === 0 : inputs.length !== entry.arity)) {
    throw damage(`${named}, inputs`, inputs, `${entry.arity ?? "some"} numbers of values`);
  }
  for (const number of inputs) checkNumber(`${named}, input`, number, before);
  if (entry.attributes) fieldsOf(`${named}, attributes`, attributes, Object.keys(entry.attributes));
  if (!Array.isArray(shape)) throw damage(`${named}, shape`, shape, "a list of sizes");
}

function checkNumber(where: string, given: unknown, count: number): void {
  if (Number.isInteger(given) && (given as number) >= 0 && (given as number) < count) return;
  throw damage(where, given, `the number of a value before it, below ${count}`);
}
