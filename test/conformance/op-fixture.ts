/** A golden case of one op: its value, its tangent, its gradient, and the gradient of its tangent, computed elsewhere in f64. */
import { jvp } from "../../src/autodiff/jvp.ts";
import { vjp } from "../../src/autodiff/vjp.ts";
import type { Node, Shape } from "../../src/graph/node.ts";
import { attention } from "../../src/ops/attention.ts";
import { type ConvolutionOptions, conv1d, conv2d } from "../../src/ops/convolve.ts";
import { embedding, film, timeEmbedding } from "../../src/ops/embed.ts";
import { groupNorm, layerNorm, rmsNorm } from "../../src/ops/normalize.ts";
import { spaceFromChannels } from "../../src/ops/resample.ts";
import { crossEntropy, logSoftmax, softmax } from "../../src/ops/softmax.ts";
import { state } from "../../src/ops/sources.ts";

interface Tensor {
  readonly shape: Shape;
  readonly data: readonly number[];
  readonly dtype?: "u32";
}
type Tensors = Readonly<Record<string, Tensor>>;

export interface OpFixture {
  readonly name: string;
  readonly op: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly inputs: Tensors;
  readonly differentiable: readonly string[];
  readonly tangents: Tensors;
  readonly output: Tensor;
  readonly jvp: Tensor;
  readonly cotangent: Tensor;
  readonly tangentCotangent: Tensor;
  readonly grads: Tensors;
  readonly secondGrads: { readonly inputs: Tensors; readonly tangents: Tensors };
}

type Build = (inputs: Readonly<Record<string, Node>>, attributes: OpFixture["attributes"]) => Node;

/** By the name that the fixtures have for them. */
const builds: Readonly<Record<string, Build>> = {
  conv1d: ({ x, weight, bias }, options) => conv1d(x, weight, bias, options as ConvolutionOptions),
  conv2d: ({ x, weight, bias }, options) => conv2d(x, weight, bias, options as ConvolutionOptions),
  crossEntropy: ({ logits, labels }, { reduction }) => crossEntropy(logits, labels, reduction as "none" | "mean"),
  embedding: ({ table, indices }) => embedding(table, indices),
  film: ({ h, scale, bias }) => film(h, scale, bias),
  groupNorm: ({ x, weight, bias }, options) => groupNorm(x, weight, bias, options as { groups: number }),
  layerNorm: ({ x, weight, bias }, options) => layerNorm(x, weight, bias, options),
  rmsNorm: ({ x, weight }, options) => rmsNorm(x, weight, options),
  logSoftmax: ({ x }) => logSoftmax(x),
  softmax: ({ x }) => softmax(x),
  scaledDotProductAttention: ({ q, k, v }) => attention(q, k, v),
  spaceFromChannels: ({ x }, { factor, order }) => spaceFromChannels(x, factor as number, order as "factor-major"),
  timeEmbedding: ({ t, frequencies }) => timeEmbedding(t, frequencies),
};

export interface OpCaseGraph {
  /** By the quantity's name, such as "grads.weight". */
  readonly outputs: Readonly<Record<string, Node>>;
  readonly expected: Readonly<Record<string, Tensor>>;
  /** Values of the states that the graph reads. */
  readonly states: ReadonlyMap<string, readonly number[]>;
}

/** The fixture as nodes, its tensors as states "case.<name>". */
export function opCaseGraph(fixture: OpFixture): OpCaseGraph {
  const states = new Map<string, readonly number[]>();
  const given = (name: string, { shape, data, dtype }: Tensor) => {
    states.set(`case.${name}`, data);
    return state({ name: `case.${name}`, shape, dtype: dtype ?? "f32" });
  };
  const inputs = Object.fromEntries(
    Object.entries(fixture.inputs).map(([name, tensor]) => [name, given(name, tensor)]),
  );
  const build = builds[fixture.op];
  if (!build) throw new Error(`${fixture.name}: no op ${fixture.op}.`);
  const output = build(inputs, fixture.attributes);
  const names = fixture.differentiable;
  const variables = names.map((name) => inputs[name] as Node);
  const tangents = names.map((name) => given(`tangent.${name}`, fixture.tangents[name] as Tensor));
  const [moved] = jvp([output], variables, tangents) as [Node];
  const gradients = vjp([output], [given("cotangent", fixture.cotangent)], variables);
  const second = vjp([moved], [given("tangentCotangent", fixture.tangentCotangent)], [...variables, ...tangents]);
  const named = (prefix: string, nodes: readonly Node[]) => names.map((name, i) => [`${prefix}.${name}`, nodes[i]]);
  const wanted = (prefix: string, tensors: Tensors) => names.map((name) => [`${prefix}.${name}`, tensors[name]]);
  return {
    outputs: Object.fromEntries([
      ["output", output],
      ["jvp", moved],
      ...named("grads", gradients),
      ...named("secondGrads.inputs", second.slice(0, names.length)),
      ...named("secondGrads.tangents", second.slice(names.length)),
    ]),
    expected: Object.fromEntries([
      ["output", fixture.output],
      ["jvp", fixture.jvp],
      ...wanted("grads", fixture.grads),
      ...wanted("secondGrads.inputs", fixture.secondGrads.inputs),
      ...wanted("secondGrads.tangents", fixture.secondGrads.tangents),
    ]),
    states,
  };
}
