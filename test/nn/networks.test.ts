// Networks with PyTorch's names and layouts against golden values: velocities, tangents, divergences, losses, gradients.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readNetworkCase } from "../../src/engine/cases/network-case.ts";
import { openCase } from "../../src/engine/cases/open-case.ts";
import { type Node, type Shape, sizeOf } from "../../src/graph/node.ts";
import { type Network, parameterLayout, parameterViews } from "../../src/nn/network.ts";
import { type TorchTensor, toTorch } from "../../src/nn/torch.ts";
import { reshape } from "../../src/ops/shape.ts";
import { state } from "../../src/ops/sources.ts";
import { errorsOnHost } from "../flow/host-case.ts";

interface Tensor {
  readonly shape: Shape;
  readonly data: readonly number[];
  readonly dtype?: "u32";
}

interface Fixture {
  readonly network: string;
  readonly buffers: readonly string[];
  readonly parameters: readonly string[];
  readonly weights: Readonly<Record<string, { readonly shape: Shape; readonly base64: string }>>;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly expected: Readonly<Record<string, Tensor>>;
  readonly grads: Readonly<Record<string, Tensor>>;
}

const names = ["unet1d", "unet1d-conditioned", "cnn", "cnn-classes", "transformer", "unet2d", "unet2d-classes", "sit"];

describe.each(names)("%s", (name) => {
  const text = readFileSync(new URL(`../networks/${name}.json`, import.meta.url), "utf8");
  const fixture: Fixture = JSON.parse(text);
  const { network, flat } = readNetworkCase(JSON.parse(text), name);
  const tensors = new Map(
    Object.entries(fixture.weights).map(([tensor, { shape, base64 }]): [string, TorchTensor] => {
      const bytes = Uint8Array.from(Buffer.from(base64, "base64"));
      return [tensor, { shape, values: new Float32Array(bytes.buffer) }];
    }),
  );
  const layout = parameterLayout(network);
  const trained = new Map([...tensors].filter(([tensor]) => !fixture.buffers.includes(tensor)));

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
    const errors = errorsOnHost(openCase(text, name), precision);
    const compared = [...Object.keys(fixture.expected), ...Object.keys(fixture.grads).map((each) => `grads.${each}`)];
    expect(Object.keys(errors).sort()).toEqual(compared.sort());
    expect(Object.entries(errors).filter(([, error]) => !(error <= tolerance))).toEqual([]);
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
