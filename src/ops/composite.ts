/**
 * Composites: ops that are put together from others. What one is in these stands in one place, and from it follow its
 * shape, its f64 reference and its derivatives, unless it gives rules of its own, built of other composites. A plan takes it
 * apart where no kernel computes it; kernels are held to it.
 */
import { evaluate } from "../graph/evaluate.ts";
import type { Node, Shape } from "../graph/node.ts";
import { defineOp, type HostTensor, type OpDefinition, type OpFunction } from "../graph/op.ts";
import { state } from "./sources.ts";

export interface CompositeRule<Attributes> extends Pick<OpDefinition<Attributes>, "name" | "jvp" | "vjp" | "kernel"> {
  /** The value in other ops; throws ConfigError when the inputs do not fit. All are f32. */
  expand(inputs: readonly Node[], attributes: Attributes): Node;
}

export function defineComposite<Attributes>(rule: CompositeRule<Attributes>): OpFunction<Attributes> {
  const { expand, ...others } = rule;
  return defineOp<Attributes>({
    ...others,
    shape: (shapes, attributes) => expand(placeholders(shapes), attributes).shape,
    expand: ({ inputs, attributes }) => expand(inputs, attributes),
    reference: (inputs, attributes) => {
      const nodes = placeholders(inputs.map(({ shape }) => shape));
      const values = new Map(inputs.map((value, i) => [nameOf(i), value]));
      return evaluate([expand(nodes, attributes)], values)[0] as HostTensor;
    },
  });
}

const nameOf = (input: number) => `input${input}`;

function placeholders(shapes: readonly Shape[]): Node[] {
  return shapes.map((shape, i) => state({ name: nameOf(i), shape, dtype: "f32" }));
}
