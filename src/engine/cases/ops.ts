/** The ops that case files may be about, by their names there: what each takes, and how it is made of nodes. */
import type { Node } from "../../graph/node.ts";
import { activation } from "../../ops/activation.ts";
import { attention } from "../../ops/attention.ts";
import { type ConvolutionOptions, conv1d, conv2d } from "../../ops/convolve.ts";
import { embedding, film, timeEmbedding } from "../../ops/embed.ts";
import { groupNorm, layerNorm, rmsNorm } from "../../ops/normalize.ts";
import { spaceFromChannels } from "../../ops/resample.ts";
import { crossEntropy, logSoftmax, softmax } from "../../ops/softmax.ts";
import type { CaseTensor, Fields } from "./case-fields.ts";

/** Nodes of the inputs by name; one that may be left out may be undefined. */
type Inputs = Readonly<Record<string, Node>>;

export interface KnownOp {
  /** Each input: of what type, or that it may be left out (it is f32 then). */
  readonly inputs: Readonly<Record<string, "f32" | "u32" | "optional">>;
  readonly attributes: readonly string[];
  /** Reads every attribute, and makes the op's result. `given` are the tensors behind the inputs. */
  build(inputs: Inputs, attributes: Fields, given: Readonly<Record<string, CaseTensor>>): Node;
}

const MOST = 2 ** 24;

export const knownOps: Readonly<Record<string, KnownOp>> = {
  conv1d: convolution(conv1d),
  conv2d: convolution(conv2d),
  crossEntropy: {
    inputs: { logits: "f32", labels: "u32" },
    attributes: ["reduction"],
    build: ({ logits, labels }, fields, given) => {
      below(fields, "labels", given["labels"], logits.shape.at(-1));
      return crossEntropy(logits, labels, fields.choice("reduction", ["mean", "none"] as const));
    },
  },
  embedding: {
    inputs: { table: "f32", indices: "u32" },
    attributes: [],
    build: ({ table, indices }, fields, given) => {
      below(fields, "indices", given["indices"], table.shape[0]);
      return embedding(table, indices);
    },
  },
  film: {
    inputs: { h: "f32", scale: "f32", bias: "f32" },
    attributes: [],
    build: ({ h, scale, bias }) => film(h, scale, bias),
  },
  gelu: {
    inputs: { x: "f32" },
    attributes: ["approximation"],
    build: ({ x }, fields) => {
      const isTanh = fields.choice("approximation", ["none", "tanh"]) === "tanh";
      return activation([x], { kind: isTanh ? "geluTanh" : "gelu", order: 0 });
    },
  },
  groupNorm: {
    inputs: { x: "f32", weight: "f32", bias: "f32" },
    attributes: ["groups", "epsilon"],
    build: ({ x, weight, bias }, fields) =>
      groupNorm(x, weight, bias, { groups: fields.integer("groups", MOST), epsilon: fields.positive("epsilon") }),
  },
  layerNorm: {
    inputs: { x: "f32", weight: "optional", bias: "optional" },
    attributes: ["epsilon"],
    build: ({ x, weight, bias }, fields) => layerNorm(x, weight, bias, { epsilon: fields.positive("epsilon") }),
  },
  rmsNorm: {
    inputs: { x: "f32", weight: "f32" },
    attributes: ["epsilon"],
    build: ({ x, weight }, fields) => rmsNorm(x, weight, { epsilon: fields.positive("epsilon") }),
  },
  logSoftmax: alongLastAxis(logSoftmax),
  softmax: alongLastAxis(softmax),
  scaledDotProductAttention: {
    inputs: { q: "f32", k: "f32", v: "f32" },
    attributes: ["scale"],
    build: ({ q, k, v }, fields) => {
      if (fields.has("scale")) fields.choice("scale", ["1/sqrt(d)"]);
      return attention(q, k, v);
    },
  },
  spaceFromChannels: {
    inputs: { x: "f32" },
    attributes: ["factor", "order"],
    build: ({ x }, fields) =>
      spaceFromChannels(
        x,
        fields.integer("factor", MOST),
        fields.choice("order", ["factor-major", "channel-major"] as const),
      ),
  },
  timeEmbedding: {
    inputs: { t: "f32", frequencies: "f32" },
    attributes: ["count", "minimumFrequency", "maximumFrequency"],
    build: ({ t, frequencies }, fields, given) => {
      // They say how the frequencies were made, which are given: a file that contradicts itself is damaged.
      const { data, shape } = given["frequencies"] as CaseTensor;
      if (t.shape.length !== 1 || shape.length !== 1) {
        fields.refuse("", [t.shape, shape], "t [B] and frequencies [F]");
      }
      if (fields.has("count") && fields.integer("count") !== data.length) {
        fields.refuse("count", fields.value("count"), `${data.length}, as many as there are frequencies`);
      }
      for (const [name, bound] of [
        ["minimumFrequency", Math.min(...data)],
        ["maximumFrequency", Math.max(...data)],
      ] as const) {
        if (!fields.has(name)) continue;
        const value = fields.number(name);
        if (!(Math.abs(value - bound) <= 1e-6 * Math.abs(bound))) {
          fields.refuse(name, value, `${bound}, which the frequencies have`);
        }
      }
      return timeEmbedding(t, frequencies);
    },
  },
};

function convolution(make: (x: Node, weight: Node, bias?: Node, options?: ConvolutionOptions) => Node): KnownOp {
  return {
    inputs: { x: "f32", weight: "f32", bias: "optional" },
    attributes: ["stride", "padding", "dilation"],
    build: ({ x, weight, bias }, fields) =>
      make(x, weight, bias, {
        stride: or(fields, "stride", 1, () => fields.integer("stride", MOST)),
        padding: or(fields, "padding", 0, () => fields.integer("padding", MOST, 0)),
        dilation: or(fields, "dilation", 1, () => fields.integer("dilation", MOST)),
      }),
  };
}

function alongLastAxis(make: (x: Node) => Node): KnownOp {
  return {
    inputs: { x: "f32" },
    attributes: ["axis"],
    build: ({ x }, fields) => {
      if (fields.has("axis")) fields.choice("axis", [-1, x.shape.length - 1]);
      return make(x);
    },
  };
}

/** What `read` gives where the file has the attribute, else its default. */
function or<Value>(fields: Fields, name: string, otherwise: Value, read: () => Value): Value {
  return fields.has(name) ? read() : otherwise;
}

/** Refuses indices that point past what they number: devices would read something else there. */
function below(fields: Fields, name: string, tensor: CaseTensor | undefined, count = 0): void {
  const wrong = tensor?.data.find((index) => index >= count);
  if (wrong !== undefined) fields.refuse(name, wrong, `integers below ${count}`);
}
