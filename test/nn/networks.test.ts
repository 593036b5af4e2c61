// Networks with PyTorch's names and layouts against golden values: velocities, tangents, divergences, losses, gradients.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { gradient } from "../../src/autodiff/vjp.ts";
import { hutchinsonEstimate, jacobianProducts, traceOf, unitVectors } from "../../src/flow/divergence.ts";
import { fdm, scaledResidual } from "../../src/flow/losses/fdm.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { pathScore, pointOnPath, targetVelocity } from "../../src/flow/paths/path.ts";
import { type Node, type Shape, sizeOf } from "../../src/graph/node.ts";
import { networkOfCase } from "../../src/nn/case-networks.ts";
import { type Network, parameterLayout, parameterViews } from "../../src/nn/network.ts";
import { fromTorch, type TorchTensor, toTorch } from "../../src/nn/torch.ts";
import { divide, subtract } from "../../src/ops/arithmetic.ts";
import { reshape } from "../../src/ops/shape.ts";
import { state } from "../../src/ops/sources.ts";
import { relativeError, valuesOf } from "../flow/evaluate.ts";

interface Tensor {
  readonly shape: Shape;
  readonly data: readonly number[];
  readonly dtype?: "u32";
}

interface Fixture {
  readonly network: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly loss: { readonly divergenceWeight: number };
  readonly buffers: readonly string[];
  readonly parameters: readonly string[];
  readonly weights: Readonly<Record<string, { readonly shape: Shape; readonly base64: string }>>;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly expected: Readonly<Record<string, Tensor>>;
  readonly grads: Readonly<Record<string, Tensor>>;
}

const names = ["unet1d", "unet1d-conditioned", "cnn", "cnn-classes", "transformer", "unet2d", "unet2d-classes", "sit"];

describe.each(names)("%s", (name) => {
  const fixture: Fixture = JSON.parse(readFileSync(new URL(`../networks/${name}.json`, import.meta.url), "utf8"));
  const tensors = new Map(
    Object.entries(fixture.weights).map(([tensor, { shape, base64 }]): [string, TorchTensor] => {
      const bytes = Uint8Array.from(Buffer.from(base64, "base64"));
      return [tensor, { shape, values: new Float32Array(bytes.buffer) }];
    }),
  );
  const buffer = (tensor: string) => Array.from((tensors.get(tensor) as TorchTensor).values);
  const network = networkOfCase(fixture.network, fixture.config, buffer);
  const layout = parameterLayout(network);
  const trained = new Map([...tensors].filter(([tensor]) => !fixture.buffers.includes(tensor)));
  const flat = fromTorch(trained, layout);

  test("has PyTorch's parameters, in their order, and gives them back", () => {
    expect(network.parameters.map((each) => each.name).sort()).toEqual([...fixture.parameters].sort());
    const back = toTorch(flat, layout);
    for (const [tensor, { shape, values }] of trained) {
      expect(back.get(tensor)?.shape, tensor).toEqual(shape);
      expect(back.get(tensor)?.values, tensor).toEqual(values);
    }
  });

  test.each([
    ["f64", 1e-8],
    ["f32", 5e-5],
  ] as const)("in %s, all quantities within %d", { timeout: 60_000 }, (precision, tolerance) => {
    const { graph, states } = graphOf(network, fixture, flat);
    const values = valuesOf([...graph.values()], states, precision);
    const found = foundIn(new Map([...graph.keys()].map((name, i) => [name, values[i]])), fixture, network);
    for (const [quantity, expected] of Object.entries({ ...fixture.expected, ...fixture.grads })) {
      expect(relativeError(found.get(quantity) ?? [], expected.data), quantity).toBeLessThan(tolerance);
    }
  });

  test("names the layer in which shapes do not fit", () => {
    const views = parameterViews(state({ name: "parameters", shape: [layout.total], dtype: "f32" }), layout);
    const weight = inputs[fixture.network] as string;
    const view = views.get(weight) as Node;
    const wrong = new Map([...views, [weight, reshape(view, [sizeOf(view.shape)])]]);
    const layer = weight.replace(/\.weight$/, "");
    expect(() => applied(network, wrong, fixture)).toThrow(`layer "${layer}"`);
  });

  test("says what it is not told", () => {
    const views = parameterViews(state({ name: "parameters", shape: [layout.total], dtype: "f32" }), layout);
    const told = Object.keys(fixture.inputs).filter((name) => !["x0", "x1", "t", "probe"].includes(name));
    for (const name of told) {
      expect(() => applied(network, views, fixture, name)).toThrow(`condition "${name}"`);
    }
    expect(told.length > 0).toBe(/classes|conditioned|transformer|sit/.test(name));
  });
});

/** What reads the points, in each. */
const inputs: Readonly<Record<string, string>> = {
  ...{ unet1d: "input.weight", cnn: "input.weight", transformer: "project_in.weight" },
  ...{ unet2d: "input_blocks.0.0.weight", sit: "x_embedder.proj.weight" },
};

/** The network on the fixture's shapes, without being told of `left`. */
function applied(network: Network, parameters: ReadonlyMap<string, Node>, fixture: Fixture, left?: string): Node {
  const input = (name: string) => {
    const { shape, dtype = "f32" } = fixture.inputs[name] as Tensor;
    return state({ name, shape, dtype });
  };
  const batch = (fixture.inputs["t"] as Tensor).shape[0] as number;
  const told = Object.keys(fixture.inputs).filter((name) => !["x0", "x1", "t", "probe", left].includes(name));
  const x = reshape(input("x1"), [batch, network.dimension]);
  return network.apply(
    parameters,
    x,
    reshape(input("t"), [batch, 1]),
    new Map(told.map((name) => [name, input(name)])),
  );
}

/** The fixture's quantities: gradients as PyTorch lays them out, and their norms in the order of the fixture's parameters. */
function foundIn(values: ReadonlyMap<string, ArrayLike<number>>, fixture: Fixture, network: Network) {
  const gradient = (loss: string, name: string) => values.get(`${loss} ${name}`) as ArrayLike<number>;
  const norms = (loss: string) =>
    fixture.parameters.map((name) => Math.hypot(...Array.from(gradient(loss, name), Number)));
  return new Map<string, ArrayLike<number>>([
    ...values,
    ...Object.keys(fixture.grads).map((name) => [name, inTorchLayout(name, gradient("fdm", name), network)] as const),
    ...[
      ["gradNorms", norms("fdm")] as const,
      ["cdmGradNorms", norms("cdm")] as const,
      ["sliceGradNorms", norms("slice")] as const,
    ],
  ]);
}

/** The gradient of one parameter as PyTorch lays it out. */
function inTorchLayout(name: string, values: ArrayLike<number>, network: Network): ArrayLike<number> {
  const layout = parameterLayout({ ...network, parameters: network.parameters.filter((each) => each.name === name) });
  const places = toTorch(
    Float32Array.from(values, (_, i) => i),
    layout,
  ).get(name) as TorchTensor;
  return Float64Array.from(places.values, (i) => values[i] as number);
}

/** Every quantity of `expected` by name; gradients as "fdm NAME", "cdm NAME", "slice NAME", for each parameter. */
function graphOf(network: Network, fixture: Fixture, flat: Float32Array) {
  const { x1: data } = fixture.inputs as { x1: Tensor };
  const batch = data.shape[0] as number;
  const rows = [batch, network.dimension];
  const states = new Map<string, ArrayLike<number>>([["parameters", flat]]);
  const input = (name: string, shape: Shape, dtype: "f32" | "u32" = "f32") => {
    states.set(name, (fixture.inputs[name] as Tensor).data);
    return state({ name, shape, dtype });
  };
  const [x0, x1, probe] = ["x0", "x1", "probe"].map((name) => input(name, rows)) as [Node, Node, Node];
  const t = input("t", [batch, 1]);
  const others = Object.keys(fixture.inputs).filter((name) => !["x0", "x1", "t", "probe"].includes(name));
  const conditions = new Map(
    others.map((name) => {
      const { shape, dtype } = fixture.inputs[name] as Tensor;
      return [name, input(name, shape, dtype ?? "f32")];
    }),
  );
  const layout = parameterLayout(network);
  const views = parameterViews(state({ name: "parameters", shape: [layout.total], dtype: "f32" }), layout);
  const field = (x: Node, times: Node) => network.apply(views, x, times, conditions);
  const path = condOT();
  const values = path.at(t);
  const x = pointOnPath(values, x0, x1);
  const u = targetVelocity(values, x0, x1);
  const v = field(x, t);
  const [product, ...columns] = jacobianProducts(v, x, [probe, ...unitVectors(x.shape)]) as [Node, ...Node[]];
  const estimate = hutchinsonEstimate(probe, product);
  const context = { network: field, path, x0, x1, t, random: () => probe };
  const { divergenceWeight: divergence } = fixture.loss;
  const residual = fdm({ divergence, power: 2, form: "residual", detachVelocity: false }).build(context);
  const slice = fdm({ divergence, power: 2, form: "slice", detachVelocity: false }).build(context);
  const variables = fixture.parameters.map((name) => views.get(name) as Node);
  const gradients = (name: string, loss: Node) =>
    gradient(loss, variables).map((node, i) => [`${name} ${fixture.parameters[i]}`, node] as const);
  const graph = new Map<string, Node>([
    ["x", x],
    ["targetVelocity", u],
    ["score", pathScore(values, x0)],
    ["velocity", v],
    ["jvp", product],
    ["hutchinson", estimate],
    ["divergence", traceOf(columns)],
    ["residual", divide(scaledResidual(values, estimate, subtract(v, u), x0), values.sigma)],
    ["cfm", residual.velocityLoss],
    ["cdm", residual.divergenceLoss as Node],
    ["fdm", residual.loss],
    ["slice", slice.divergenceLoss as Node],
    ["fdmSlice", slice.loss],
    ...gradients("fdm", residual.loss),
    ...gradients("cdm", residual.divergenceLoss as Node),
    ...gradients("slice", slice.divergenceLoss as Node),
  ]);
  return { graph, states };
}
