/** Data sources that are graphs: how a user's function draws, as plain data; and the numbers that it draws from. */
import { DataError } from "../errors.ts";
import { type DType, isSizes, type Node, type Shape, sizeOf } from "../graph/node.ts";
import { GRAPH, isRecord } from "../graph/options.ts";
import { checkedDraws, type Draw, Draws, drawnFor } from "../trace/draws.ts";
import { openTrace } from "../trace/open.ts";
import { damage, fieldsOf, type Sealed, sealed, unsealed } from "../trace/sealed.ts";
import { type Trace, type TraceInput, traceOf } from "../trace/trace.ts";
import { fingerprint } from "./fingerprint.ts";
import type { DataCondition, DataContext, DataSource, Drawn } from "./source.ts";

/** Numbers that a source draws from, such as a table of points. */
export interface StateContents {
  readonly shape: Shape;
  readonly values: Float32Array | Uint32Array;
}

type Conditions = Readonly<Record<string, Pick<DataCondition, "shape" | "classes" | "names">>>;

/** Plain JSON: all that such a source is but the numbers it draws from, of which there is a fingerprint. */
export interface DataConfig {
  /** What it is called in messages. */
  readonly name: string;
  /** Of a point. */
  readonly shape: Shape;
  readonly columns: readonly string[] | null;
  readonly conditions: Conditions;
  readonly state: Readonly<
    Record<string, { readonly shape: Shape; readonly dtype: DType; readonly fingerprint: string }>
  >;
  readonly draws: readonly Draw[];
  readonly graph: Trace;
}

/** A source of such a graph. */
export interface GraphData extends DataSource {
  /** What it draws from, by name; not to be changed. */
  readonly contents: Readonly<Record<string, StateContents>>;
}

const batch = { perRow: 1, plus: 0 };
const POINTS = "points";
const stateInput = (name: string) => `state.${name}`;
const conditionOutput = (name: string) => `condition.${name}`;

/**
 * The graph of how a source draws.
 *
 * @throws {@link UnsupportedError} when it is another for other numbers of rows.
 */
export function dataConfig(
  facts: Pick<DataConfig, "name" | "shape" | "columns" | "conditions">,
  contents: Readonly<Record<string, StateContents>>,
  draw: (context: DataContext) => Drawn,
): Sealed<DataConfig> {
  const subject = `data "${facts.name}"`;
  const draws = new Draws();
  const state = Object.fromEntries(Object.entries(contents).map(([name, each]) => [name, declarationOf(each)]));
  const inputs = Object.entries(state).map(([name, { shape, dtype }]) => ({ name: stateInput(name), shape, dtype }));
  const graph = traceOf(subject, inputs, (given, rows, more) => {
    const { points, conditions } = draw({
      rows,
      random: draws.recorder(more),
      state: (name) => given.get(stateInput(name)) as Node,
    });
    const told = Object.keys(facts.conditions).map((name) => [conditionOutput(name), conditions.get(name) as Node]);
    return { [POINTS]: points, ...Object.fromEntries(told) };
  });
  return sealed({ ...facts, state, draws: draws.all(subject), graph });
}

function declarationOf({ shape, values }: StateContents): DataConfig["state"][string] {
  return { shape, dtype: values instanceof Uint32Array ? "u32" : "f32", fingerprint: printOf(values) };
}

function printOf(values: Float32Array | Uint32Array): string {
  return fingerprint(values instanceof Uint32Array ? Float64Array.from(values) : values);
}

/**
 * The source of such a graph.
 *
 * @param contents - what it draws from, by name; they become its own.
 * @throws {@link CheckpointError} when the graph is damaged: the message names the node.
 * @throws {@link DataError} when it draws from other numbers than those given.
 */
export function graphData(given: unknown, contents: Readonly<Record<string, StateContents>> = {}): GraphData {
  return openData(given).from(contents);
}

/** The same without the numbers, which `from` takes. */
export function openData(given: unknown): {
  readonly dimension: number;
  from(contents: Readonly<Record<string, StateContents>>): GraphData;
} {
  const names = ["shape", "columns", "conditions", "state", "draws", "graph"];
  const { subject, fields } = unsealed("data", given, names);
  const { shape, columns } = fields;
  if (!isSizes(shape) || !(sizeOf(shape) > 0)) throw damage(`${subject}, shape`, shape, "positive sizes");
  const dimension = sizeOf(shape);
  const isNames = Array.isArray(columns) && columns.every((name) => typeof name === "string");
  if (columns !== null && !(isNames && columns.length === dimension)) {
    throw damage(`${subject}, columns`, columns, `null, or ${dimension} names`);
  }
  const conditions = checkedConditions(subject, fields["conditions"]);
  const states = checkedStates(subject, fields["state"]);
  const trace = openTrace(fields["graph"], subject, {
    outputs: [
      { name: POINTS, shape: [batch, dimension], dtype: "f32" },
      ...Object.entries(conditions).map(
        ([name, { shape, classes }]): TraceInput => ({
          ...{ name: conditionOutput(name), shape: [batch, ...shape], dtype: classes === undefined ? "f32" : "u32" },
        }),
      ),
    ],
    without: ["state", "random", "replaceRow"],
  });
  const draws = checkedDraws(subject, fields["draws"], trace.inputs);
  expectStates(subject, states, trace.inputs, draws.length);
  const stateName = (name: string) => `data.${name}`;
  const from = (contents: Readonly<Record<string, StateContents>>): GraphData => ({
    name: GRAPH,
    options: given as DataSource["options"],
    dimension,
    shape,
    contents,
    ...(columns === null ? {} : { columns: columns as string[] }),
    ...(Object.keys(conditions).length > 0 ? { conditions } : {}),
    state: new Map(Object.entries(contents).map(([name, { values }]) => [stateName(name), values])),
    draw({ rows, random, state }) {
      const inputs = new Map([
        ...Object.entries(states).map(
          ([name, { shape, dtype }]) => [stateInput(name), state(stateName(name), shape, dtype)] as const,
        ),
        ...drawnFor(draws, trace.inputs, rows, random),
      ]);
      const values = trace.instantiate(rows, inputs);
      const told = Object.keys(conditions).map((name) => [name, values.get(conditionOutput(name)) as Node] as const);
      return { points: values.get(POINTS) as Node, conditions: new Map(told) };
    },
  });
  return {
    dimension,
    from(contents) {
      expectContents(subject, states, contents);
      return from(contents);
    },
  };
}

function checkedConditions(subject: string, given: unknown): Conditions {
  if (!isRecord(given)) throw damage(`${subject}, conditions`, given, "conditions by name");
  for (const [name, one] of Object.entries(given)) {
    const where = `${subject}, condition "${name}"`;
    const label = isRecord(one) && "classes" in one;
    const named = isRecord(one) && "names" in one;
    const { shape, classes, names } = fieldsOf(where, one, [
      ...["shape", ...(label ? ["classes"] : []), ...(named ? ["names"] : [])],
    ]);
    const fits = isSizes(shape) && (shape.length === 0 || sizeOf(shape) > 0) && !(label && shape.length > 0);
    if (!fits) throw damage(`${where}, shape`, shape, label ? "[]" : "positive sizes");
    if (label && !(Number.isSafeInteger(classes) && (classes as number) > 0)) {
      throw damage(`${where}, classes`, classes, "a positive integer");
    }
    const isNames = Array.isArray(names) && names.length === classes && names.every((each) => typeof each === "string");
    if (named && !isNames) throw damage(`${where}, names`, names, "a name for each class");
  }
  return given as Conditions;
}

function checkedStates(subject: string, given: unknown): DataConfig["state"] {
  if (!isRecord(given)) throw damage(`${subject}, state`, given, "declarations by name");
  for (const [name, one] of Object.entries(given)) {
    const where = `${subject}, state "${name}"`;
    const { shape, dtype, fingerprint: print } = fieldsOf(where, one, ["shape", "dtype", "fingerprint"]);
    if (!isSizes(shape) || (shape.length > 0 && !(sizeOf(shape) > 0))) {
      throw damage(`${where}, shape`, shape, "positive sizes");
    }
    if (dtype !== "f32" && dtype !== "u32") throw damage(`${where}, dtype`, dtype, "f32 or u32");
    if (typeof print !== "string") throw damage(`${where}, fingerprint`, print, "text");
  }
  return given as DataConfig["state"];
}

/** Passes when the graph reads these states and draws, and nothing else. */
function expectStates(
  subject: string,
  states: DataConfig["state"],
  inputs: readonly TraceInput[],
  draws: number,
): void {
  const wanted = Object.entries(states).map(([name, { shape, dtype }]) => `${stateInput(name)} ${dtype} [${shape}]`);
  const own = inputs.slice(0, inputs.length - draws).map(({ name, shape, dtype }) => `${name} ${dtype} [${shape}]`);
  if (own.join() !== wanted.join()) throw damage(`${subject}, inputs`, own, wanted.join(", ") || "none");
}

function expectContents(
  subject: string,
  states: DataConfig["state"],
  contents: Readonly<Record<string, StateContents>>,
): void {
  for (const [name, { shape, fingerprint: print }] of Object.entries(states)) {
    const own = contents[name];
    if (own?.values.length === sizeOf(shape) && printOf(own.values) === print) continue;
    throw new DataError({
      subject: `state "${name}" of ${subject}`,
      given: own ? "other numbers" : "nothing",
      expected: `the ${sizeOf(shape)} numbers that it was defined with`,
      remedy: "Files hold no data: define the same source again, and give it.",
    });
  }
}
