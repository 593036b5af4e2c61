// Files of weights alone, as PyTorch saves them: read with the network said, by names and shapes alone, under prefixes; and
// what is said of files that are of another network. The velocity is held to the golden values.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CheckpointError, ConfigError } from "../../src/errors.ts";
import type { Shape } from "../../src/graph/node.ts";
import { networkOfCase } from "../../src/nn/case-networks.ts";
import { classes } from "../../src/nn/conditions.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { type Network, parameterLayout, parameterViews } from "../../src/nn/network.ts";
import { networkFromConfig } from "../../src/nn/registry.ts";
import { toTorch } from "../../src/nn/torch.ts";
import { state } from "../../src/ops/sources.ts";
import type { ModelRecord } from "../../src/train/checkpoint.ts";
import { type ReadOptions, readCheckpoint } from "../../src/train/read-checkpoint.ts";
import { readSafetensors } from "../../src/train/read-safetensors.ts";
import { type StoredTensor, type WritableDType, writeSafetensors } from "../../src/train/safetensors.ts";
import { relativeError, valuesOf } from "../flow/evaluate.ts";

interface Tensor {
  readonly shape: Shape;
  readonly data: readonly number[];
  readonly dtype?: "u32";
}

interface Fixture {
  readonly network: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly expected: Readonly<Record<string, Tensor>>;
}

type Tensors = Map<string, StoredTensor<WritableDType>>;

/** What each file's names and shapes do not tell, and then what it is taken for. */
const unsaid: Readonly<Record<string, { config: Readonly<Record<string, unknown>>; otherwise?: object }>> = {
  "unet1d-conditioned": {
    config: { sample: [16, 3], conditionDivisor: 4, conditions: { condition: { shape: [3, 3] } } },
  },
  "cnn-classes": { config: { sample: [14, 4] } },
  transformer: {
    config: {
      ...{ sample: [4, 4, 2], heads: 4, conditionHidden: 8, logarithms: ["distance"] },
      conditions: { previous: { shape: [4, 4, 2] }, earlier: { shape: [4, 4, 2] }, distance: { shape: [] } },
    },
  },
  "unet2d-classes": { config: { sample: [6, 4, 1], heads: 2, groups: 4 } },
  sit: { config: { sample: [6, 4, 2], heads: 4 } },
};

describe.each(Object.entries(unsaid))("%s", (name, { config }) => {
  const file = (ending: string) => readFileSync(new URL(`../networks/${name}.${ending}`, import.meta.url));
  const fixture: Fixture = JSON.parse(file("json").toString());
  const bytes = new Uint8Array(file("safetensors"));
  const tensors = readSafetensors(bytes).tensors as Tensors;
  const network = networkOfCase(fixture.network, fixture.config, (buffer) =>
    Array.from(tensors.get(buffer)?.data as Float32Array),
  );

  test("with its network said, the velocity is the golden one", async () => {
    expectGolden(await readCheckpoint(bytes, { network }), fixture);
  });

  test("by its names and shapes it is the same network", async () => {
    const record = await readCheckpoint(bytes, { config });
    expect(record.network.kind).toBe(network.kind);
    expect(record.network.config).toEqual(network.config);
    expectGolden(record, fixture);
  });

  test("what stands before all names is taken off", async () => {
    const named: Tensors = new Map([...tensors].map(([each, tensor]) => [`module.model.${each}`, tensor]));
    expectGolden(await readCheckpoint(fileOf(named), { config }), fixture);
    expectGolden(await readCheckpoint(fileOf(named), { network }), fixture);
  });

  test("says what has to be said", async () => {
    const error = await readCheckpoint(bytes).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ConfigError);
    const first = name === "sit" ? "heads" : "sample [";
    expect((error as Error).message).toContain(first);
    expect((error as Error).message).toMatch(/Say it by the option network, \w+\(.*or config/);
  });

  test("names what is missing, what is too much, and what has another shape", async () => {
    const [first] = network.parameters;
    const [target] = [...tensors].find(([each]) => each === first.name) as [string, StoredTensor<WritableDType>];
    const without = new Map(tensors);
    without.delete(target);
    await expectRefused(without, { network }, `without ${target}`);
    const more: Tensors = new Map([...tensors, ["ema.decay", { dtype: "F32", shape: [1], data: new Float32Array(1) }]]);
    await expectRefused(more, { network }, "with unknown ema.decay");
    const data = new Float32Array(7);
    await expectRefused(
      new Map([...tensors, [target, { dtype: "F32", shape: [7], data }]]),
      { network },
      `"${target}", shape`,
    );
  });

  test("a constant that is another is refused, or taken where it is an option", async () => {
    const constant = network.constants?.find(({ name }) => tensors.has(name)) as { name: string; option?: string };
    const stored = tensors.get(constant.name) as StoredTensor<WritableDType>;
    const data = Float32Array.from(stored.data as Float32Array, (value) => value * 1.01);
    const changed: Tensors = new Map([...tensors, [constant.name, { dtype: "F32", shape: stored.shape, data }]]);
    if (constant.option === undefined) return expectRefused(changed, { network }, `tensor "${constant.name}"`);
    const record = await readCheckpoint(fileOf(changed), { network });
    expect(record.network.config[constant.option]).toEqual(Array.from(data));
  });
});

const read = (name: string) =>
  readSafetensors(new Uint8Array(readFileSync(new URL(`../networks/${name}.safetensors`, import.meta.url))))
    .tensors as Tensors;

test("layers of one tap may be linear layers in the file, or convolutions", async () => {
  const tensors = read("unet2d-classes");
  const fixture: Fixture = JSON.parse(
    readFileSync(new URL("../networks/unet2d-classes.json", import.meta.url)).toString(),
  );
  const { config } = unsaid["unet2d-classes"];
  for (const ending of [[], [1], [1, 1]]) {
    const changed: Tensors = new Map(
      [...tensors].map(([name, tensor]) => {
        if (!/(qkv|proj_out)\.weight$/.test(name)) return [name, tensor];
        return [name, { ...tensor, shape: [...tensor.shape.slice(0, 2), ...ending] }];
      }),
    );
    expectGolden(await readCheckpoint(fileOf(changed), { config }), fixture);
  }
});

test("two networks in one file are refused, by their prefixes", async () => {
  const both: Tensors = new Map(
    [...read("unet2d-classes")].flatMap(([name, tensor]) => [
      [`net.${name}`, tensor],
      [`ema.${name}`, tensor],
    ]),
  );
  await expectRefused(both, unsaid["unet2d-classes"], "two networks: net.* and ema.*");
});

test("activation and config are refused where they say nothing", async () => {
  const tensors = read("cnn-classes");
  const { config } = unsaid["cnn-classes"];
  await expect(readCheckpoint(fileOf(tensors), { config, activation: "silu" })).rejects.toThrow("it is cnn");
  const network = await networkFromConfig("cnn", { ...config, channels: 8, conditions: { label: classes(3) } });
  await expect(readCheckpoint(fileOf(tensors), { config, network })).rejects.toThrow("one of the two");
});

test("an MLP with conditions is read under its own names", async () => {
  const network = mlp({ dimension: 2, hidden: [8], conditions: { kind: classes(3, { drop: 0.1 }) } });
  const { total } = parameterLayout(network);
  const flat = Float32Array.from({ length: total }, (_, i) => Math.sin(i));
  const tensors: Tensors = new Map(
    [...toTorch(flat, parameterLayout(network))].map(([name, { shape, values }]) => [
      `net.${name}`,
      { dtype: "F32", shape, data: values },
    ]),
  );
  expect(tensors.get("net.kind.weight")?.shape).toEqual([4, 16]);
  const { parameters } = await readCheckpoint(fileOf(tensors), { network });
  expect(parameters).toEqual(flat);
});

// The forms that fixtures have not: each network is told by its own tensors.
test.each<[string, string, object]>([
  ["plain resampling", "unet2d", { resampling: "plain", multipliers: [1, 1, 2], attentionAt: [1, 4] }],
  ["residual resampling", "unet2d", { resampling: "residual", multipliers: [1, 2], scaleShift: true }],
  [
    "residual resampling with attention",
    "unet2d",
    { resampling: "residual", multipliers: [1, 2, 2], attentionAt: [2] },
  ],
  ["one level", "unet2d", { multipliers: [1], residualBlocks: 3 }],
  ["sigma too", "sit", { learnSigma: true, sample: [8, 8, 3], width: 384, depth: 2, heads: 6 }],
  ["no labels", "residualMlp", { dimension: 3, width: 16, depth: 2 }],
])("%s of %s is told by names and shapes", async (_what, kind, options) => {
  const common = kind === "unet2d" ? { sample: [8, 8, 1], channels: 32, residualBlocks: 1 } : {};
  const network = await networkFromConfig(kind, { ...common, ...options });
  const layout = parameterLayout(network);
  const tensors: Tensors = new Map(
    [...toTorch(new Float32Array(layout.total).fill(0.5), layout)].map(([name, { shape, values }]) => [
      name,
      { dtype: "F32", shape, data: values },
    ]),
  );
  const positions = network.constants?.find(({ name }) => name === "pos_embed");
  if (positions) {
    const data = Float32Array.from(positions.values);
    tensors.set("pos_embed", { dtype: "F32", shape: [1, 16, 384], data });
  }
  const config = kind === "unet2d" ? { sample: [8, 8, 1] } : undefined;
  const record = await readCheckpoint(fileOf(tensors), { config });
  expect(record.network.config).toEqual(network.config);
});

const fileOf = (tensors: Tensors) => writeSafetensors({ tensors, metadata: {} });

async function expectRefused(tensors: Tensors, options: ReadOptions, message: string): Promise<void> {
  const error = await readCheckpoint(fileOf(tensors), options).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(CheckpointError);
  expect((error as Error).message).toContain(message);
}

/** The velocity of what was read, in f64, against the file's own case. */
function expectGolden({ network, parameters }: ModelRecord, fixture: Fixture): void {
  const states = new Map<string, ArrayLike<number>>([["parameters", parameters]]);
  const input = (name: string, shape: Shape, values: readonly number[], dtype: "f32" | "u32" = "f32") => {
    states.set(name, values);
    return state({ name, shape, dtype });
  };
  const { x } = fixture.expected;
  const [batch] = x.shape;
  const points = input("x", [batch, network.dimension], x.data);
  const times = input("t", [batch, 1], fixture.inputs["t"].data);
  const told = Object.entries(fixture.inputs).filter(([name]) => !["x0", "x1", "t", "probe"].includes(name));
  const conditions = new Map(
    told.map(([name, { shape, data, dtype }]) => [name, input(name, shape, data, dtype ?? "f32")]),
  );
  const velocity = velocityOf(network, points, times, conditions);
  const [values] = valuesOf([velocity], states, "f64");
  expect(relativeError(values, fixture.expected["velocity"].data)).toBeLessThan(1e-8);
}

function velocityOf(
  network: Network,
  ...[x, t, conditions]: Parameters<Network["apply"]> extends [unknown, ...infer Rest] ? Rest : never
) {
  const layout = parameterLayout(network);
  const views = parameterViews(state({ name: "parameters", shape: [layout.total], dtype: "f32" }), layout);
  return network.apply(views, x, t, conditions);
}
