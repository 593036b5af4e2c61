/** Data sources of a user's own: written with the ops, kept and sent as the graphs that draw. */
import { ConfigError } from "../errors.ts";
import { isSizes, type Node, type Shape, sameShape, sizeOf } from "../graph/node.ts";
import { isRecord, optionsObject, textOption } from "../graph/options.ts";
import { reshape } from "../ops/shape.ts";
import type { Random } from "../trace/draws.ts";
import { dataConfig, graphData, type StateContents } from "./graph-data.ts";
import type { DataCondition, DataContext, DataSource, Drawn } from "./source.ts";

/** What a draw is made of. */
export interface DrawInputs {
  /** Points to draw, B: for shapes alone; no loop over rows. */
  readonly rows: number;
  /** Fresh random numbers; every call gives others, independent of all else. `bound` is for "index". */
  readonly random: Random;
  /** The numbers of a state, of its shape. */
  state(name: string): Node;
}

export interface DataDefinition {
  /** What messages call it. */
  readonly name: string;
  /** Of a point, such as [2] or [28, 28, 1]; D numbers in all. */
  readonly shape: Shape;
  /** What is known of each point, by name: a label of so many `classes`, or numbers of a shape. */
  readonly conditions?: Readonly<Record<string, Pick<DataCondition, "shape" | "classes" | "names">>>;
  /** Names of the D coordinates. */
  readonly columns?: readonly string[];
  /** Numbers that `draw` reads, by name: f32, or u32 of a Uint32Array. Copied. */
  readonly state?: Readonly<Record<string, { readonly values: Float32Array | Uint32Array; readonly shape: Shape }>>;
  /** Builds B independent points [B, ...shape] or [B, D]; with conditions, `{ points, conditions: { name: values } }`. */
  draw(inputs: DrawInputs): Node | { readonly points: Node; readonly conditions: Readonly<Record<string, Node>> };
}

/**
 * Data of your own, drawn on the device, anew at each step. `draw` is called here, a few times; what draws, there and in a
 * worker, is the graph that it builds, which checkpoints keep; of the numbers in `state` they keep a fingerprint.
 *
 * @throws {@link ConfigError} when an option is wrong, or what is drawn has another shape.
 * @throws {@link UnsupportedError} when the graph is another for other numbers of rows.
 * @example
 * const ring = defineData({
 *   name: "ring",
 *   shape: [2],
 *   draw: ({ rows, random }) => {
 *     const angle = multiply(random("uniform", [rows, 1]), 2 * Math.PI);
 *     return concat([cos(angle), sin(angle)], 1);
 *   },
 * });
 */
export function defineData(definition: DataDefinition): DataSource {
  const known = ["name", "shape", "conditions", "columns", "state", "draw"] as const;
  const given = optionsObject("options of defineData", definition, known);
  const { name, shape, conditions = {}, columns, state = {}, draw } = given;
  textOption("name of defineData", name ?? "", "what messages call the data");
  const subject = `data "${name}"`;
  const refuse = (what: string, given: unknown, expected: string): never => {
    const remedy = "See defineData.";
    throw new ConfigError({ subject: `${what} of ${subject}`, given: given ?? String(given), expected, remedy });
  };
  if (!isSizes(shape) || shape.length === 0 || !(sizeOf(shape) > 0)) refuse("shape", shape, "positive sizes");
  if (typeof draw !== "function") refuse("draw", draw, "a function of rows, random and state");
  if (!isRecord(conditions)) refuse("conditions", conditions, "declarations by name");
  if (columns !== undefined && !(Array.isArray(columns) && columns.length === sizeOf(shape))) {
    refuse("columns", columns, `${sizeOf(shape)} names`);
  }
  if (!isRecord(state)) refuse("state", state, "numbers by name");
  const contents = Object.fromEntries(
    Object.entries(state).map(([each, { values, shape }]): [string, StateContents] => {
      const isNumbers = values instanceof Float32Array || values instanceof Uint32Array;
      if (!isNumbers || !isSizes(shape) || values.length !== sizeOf(shape) || values.length === 0) {
        refuse(`state "${each}"`, shape, "a Float32Array or Uint32Array, and its shape");
      }
      return [each, { shape: [...shape], values: values.slice() }];
    }),
  );
  const told = Object.fromEntries(
    Object.entries(conditions).map(([each, { shape, classes, names }]) => [
      each,
      { shape: [...shape], ...(classes === undefined ? {} : { classes }), ...(names ? { names: [...names] } : {}) },
    ]),
  );
  const checked = (what: string, value: unknown, expected: readonly Shape[], dtype: string): Node => {
    const node = Object(value) as Node;
    const fits =
      Array.isArray(node.shape) && node.dtype === dtype && expected.some((each) => sameShape(each, node.shape));
    if (!fits) refuse(what, node.shape ?? String(value), `${dtype} [${expected.join("] or [")}]`);
    return reshape(node, expected[0] as Shape);
  };
  const facts = { name, shape: [...shape], columns: columns ? [...columns] : null, conditions: told };
  const config = dataConfig(facts, contents, ({ rows, random, state }: DataContext): Drawn => {
    const read = (one: string) => {
      const known = contents[one];
      return known ? state(one, known.shape, "f32") : refuse(`state "${one}"`, "nothing", "one of its state");
    };
    const drawn = draw({ rows, random, state: read });
    const both = isRecord(drawn) && "points" in drawn ? drawn : { points: drawn, conditions: {} };
    const points = checked(
      "points",
      both.points,
      [
        [rows, sizeOf(shape)],
        [rows, ...shape],
      ],
      "f32",
    );
    const values = Object.entries(told).map(([each, { shape, classes }]): [string, Node] => [
      each,
      checked(`condition "${each}"`, both.conditions[each], [[rows, ...shape]], classes === undefined ? "f32" : "u32"),
    ]);
    return { points, conditions: new Map(values) };
  });
  return graphData(config, contents);
}
