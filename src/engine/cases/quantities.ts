/**
 * Cases that are nothing but quantities: a file of `{kind, name, attributes, inputs, expected, scales?, information?}`, whose
 * graph makes each of the quantities that `expected` may name.
 */
import type { NumericArray } from "../../backends/backend.ts";
import type { Update } from "../../graph/graph.ts";
import type { Node, Shape } from "../../graph/node.ts";
import { state } from "../../ops/sources.ts";
import { type CaseProgram, type GoldenCase, outputOf, relativeError, scalesOf } from "./case.ts";
import { type CaseTensor, Fields } from "./case-fields.ts";

/** Fields that files of this form may have. */
export const caseFields = ["kind", "name", "attributes", "inputs", "expected", "scales", "information"];

/** What a kind of case is made from. */
export class CaseReader {
  readonly attributes: Fields;
  readonly inputs: Fields;
  readonly states = new Map<string, NumericArray>();

  constructor(fields: Fields, attributes: readonly string[], inputs: readonly string[]) {
    this.attributes = fields.object("attributes");
    this.attributes.only(attributes);
    this.inputs = fields.object("inputs");
    this.inputs.only(inputs);
  }

  /** The f32 tensor of this name; of this shape, where it is known. */
  tensor(name: string, shape?: Shape): CaseTensor {
    const tensor = this.inputs.tensor(name, shape);
    return tensor.dtype === "f32" ? tensor : this.inputs.refuse(`${name}.dtype`, tensor.dtype, "no dtype: it is f32");
  }

  /** The same where each number is above 0. */
  positive(name: string, shape?: Shape): CaseTensor {
    const tensor = this.tensor(name, shape);
    const wrong = tensor.data.findIndex((value) => !(value > 0));
    return wrong < 0 ? tensor : this.inputs.refuse(`${name}.data[${wrong}]`, tensor.data[wrong], "a positive number");
  }

  /** A node that reads these numbers, such as those of a tensor, in this shape. */
  node(name: string, { data, shape }: Pick<CaseTensor, "data" | "shape">, as: Shape = shape): Node {
    this.states.set(`case.${name}`, Float64Array.from(data));
    return state({ name: `case.${name}`, shape: as, dtype: "f32" });
  }
}

/** What a kind of case makes. */
export interface Quantities {
  /** Each of the shape that the file gives it. */
  readonly nodes: Readonly<Record<string, Node>>;
  /** Where they follow from a step that is repeated: what else it writes, and reads at first. */
  readonly repeated?: {
    readonly updates: readonly Update[];
    readonly initial: ReadonlyMap<string, NumericArray>;
    readonly times: number;
  };
}

/** A kind of case. */
export interface CaseKind {
  readonly attributes: readonly string[];
  readonly inputs: readonly string[];
  make(reader: CaseReader): Quantities;
}

/**
 * What opens cases of this kind.
 *
 * @throws {@link DataError} naming the field that is missing or wrong.
 */
export function quantitiesCase({ attributes, inputs, make }: CaseKind): (given: unknown, file: string) => GoldenCase {
  return (given, file) => {
    const fields = new Fields(given, `${file}: `);
    fields.only(caseFields);
    const reader = new CaseReader(fields, attributes, inputs);
    const { nodes, repeated } = make(reader);
    const expected = fields.object("expected");
    expected.only(Object.keys(nodes));
    const wanted = expected.names().map((name) => {
      const node = nodes[name] as Node;
      return { name, node, ...expected.tensor(name, node.shape) };
    });
    if (wanted.length === 0) fields.refuse("expected", "nothing", `one or more of ${Object.keys(nodes).join(", ")}`);
    const scales = scalesOf(
      fields,
      wanted.map(({ name }) => name),
    );
    const updates = [...wanted.map(({ name, node }) => outputOf(name, node)), ...(repeated?.updates ?? [])];
    const program: CaseProgram = {
      graph: { name: "verify-quantities", updates },
      ...(repeated && { times: repeated.times }),
    };
    return {
      programs: [program],
      inputs: new Map([...reader.states, ...(repeated?.initial ?? [])]),
      errors: (values) =>
        Object.fromEntries(
          wanted.map(({ name, data }) => [name, relativeError(values.get(name)?.[0] ?? [], data, scales.get(name))]),
        ),
    };
  };
}
