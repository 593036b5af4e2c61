/** The cases that ops declare, as graphs with drawn inputs: the op tests and the backends' checks run over them. */
import { type StateDeclaration, topologicalOrder } from "../../src/graph/graph.ts";
import { type DType, type Node, type Shape, sizeOf } from "../../src/graph/node.ts";
import type { HostTensor, OpCase, OpDefinition } from "../../src/graph/op.ts";
import { ops } from "../../src/ops/registry.ts";
import { state } from "../../src/ops/sources.ts";
import { HostRandom } from "../../src/ops/threefry.ts";

/** A case on inputs of its own. */
export interface CaseGraph {
  readonly op: OpDefinition;
  readonly label: string;
  /** All state; those of type u32 have no derivatives. */
  readonly inputs: readonly Node[];
  readonly output: Node;
  /** Values of all state that `output` reads, by name, exact in f32. */
  readonly values: Map<string, HostTensor>;
  /** How many derivatives may be nested. */
  readonly derivatives: number;
  /** f32 numbers, N(0, 1): other ones for each purpose. */
  draw(shape: Shape, purpose: number): HostTensor;
}

/** Every case of every op. State names begin with `prefix` and the number of the case. */
export function caseGraphs(seed: number, prefix = "case"): CaseGraph[] {
  return ops
    .flatMap(({ op, cases }) => cases.map((given) => ({ op, given })))
    .map(({ op, given }, number) => caseGraph(op, given, seed, `${prefix}${number}`, number));
}

function caseGraph(op: OpDefinition, given: OpCase<unknown>, seed: number, prefix: string, number: number): CaseGraph {
  const random = new HostRandom(seed);
  const draw = (shape: Shape, purpose: number): HostTensor => ({
    shape,
    data: Float64Array.from(random.normal(sizeOf(shape), number, purpose)),
  });
  const dtypes = given.shapes.map((_, input): DType => (given.integers?.[input] ? "u32" : "f32"));
  const inputs = given.shapes.map((shape, input) =>
    state({ name: `${prefix}.input${input}`, shape, dtype: dtypes[input] }),
  );
  const output = madeBy(op, inputs, given.attributes);
  const values = new Map<string, HostTensor>();
  for (const node of topologicalOrder([output])) {
    if (node.op.name !== "state") continue;
    const { name, shape } = node.attributes as StateDeclaration;
    const input = Math.max(0, inputs.indexOf(node as (typeof inputs)[number]));
    const integers = given.integers?.[input];
    const value = (x: number) => Math.fround(given.domain ? given.domain(x, input) : x);
    values.set(name, {
      shape,
      data: integers ? Float64Array.from(integers) : draw(shape, input).data.map(value),
    });
  }
  const label = `${op.name} ${JSON.stringify(given.shapes)} ${JSON.stringify(given.attributes)}`;
  return { op, label, inputs, output, values, derivatives: given.derivatives ?? Number.POSITIVE_INFINITY, draw };
}

function madeBy(op: OpDefinition, inputs: readonly Node[], attributes: unknown): Node {
  const shape = op.shape(
    inputs.map((input) => input.shape),
    attributes,
  );
  const dtype =
    op.dtype?.(
      inputs.map((input) => input.dtype),
      attributes,
    ) ?? "f32";
  return { op, inputs, attributes, shape, dtype };
}
