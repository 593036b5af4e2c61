// The networks of the golden cases, with their weights and inputs.
import { readFileSync } from "node:fs";
import type { Shape } from "../../src/graph/node.ts";
import { cnn } from "../../src/nn/cnn.ts";
import { type ConditionDeclaration, type Network, parameterLayout } from "../../src/nn/network.ts";
import { sit } from "../../src/nn/sit.ts";
import { fromTorch, type TorchTensor } from "../../src/nn/torch.ts";
import { transformer } from "../../src/nn/transformer.ts";
import { unet1d } from "../../src/nn/unet1d.ts";
import { unet2d } from "../../src/nn/unet2d.ts";

interface GoldenTensor {
  readonly shape: Shape;
  readonly data: readonly number[];
  readonly dtype?: "u32";
}

interface Fixture {
  readonly network: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly buffers: readonly string[];
  readonly weights: Readonly<Record<string, { readonly shape: Shape; readonly base64: string }>>;
  readonly inputs: Readonly<Record<string, GoldenTensor>>;
}

/** Those without attention, whose products are not yet nodes of their own for any number of rows. */
export const goldenNames = ["unet1d", "unet1d-conditioned", "cnn", "cnn-classes"];

const kinds: Readonly<Record<string, (config: never) => Network>> = { unet1d, cnn, transformer, unet2d, sit };

/** What a file has as buffers and a network as options. */
const options: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  cnn: { frequencies: "time.frequencies" },
  sit: { positions: "pos_embed" },
};

/** A golden network, told what its case tells it, and its flat parameters. */
export function goldenNetwork(name: string): { readonly network: Network; readonly parameters: Float32Array } {
  const fixture: Fixture = JSON.parse(readFileSync(new URL(`../networks/${name}.json`, import.meta.url), "utf8"));
  const tensors = new Map(
    Object.entries(fixture.weights).map(([tensor, { shape, base64 }]): [string, TorchTensor] => {
      const bytes = Uint8Array.from(Buffer.from(base64, "base64"));
      return [tensor, { shape, values: new Float32Array(bytes.buffer) }];
    }),
  );
  const given = Object.entries(options[fixture.network] ?? {}).map(([option, buffer]) => [
    option,
    Array.from((tensors.get(buffer) as TorchTensor).values),
  ]);
  const make = kinds[fixture.network] as (config: unknown) => Network;
  const made = make({ ...fixture.config, ...Object.fromEntries(given) });
  const told = Object.entries(fixture.inputs).filter(([input]) => !["x0", "x1", "t", "probe"].includes(input));
  const conditions = told.map(([input, { shape, dtype }]): [string, ConditionDeclaration] => [
    input,
    dtype === "u32" ? { shape: [], classes: fixture.config["classes"] as number } : { shape: shape.slice(1) },
  ]);
  const network = { ...made, conditions: made.conditions ?? Object.fromEntries(conditions) };
  const trained = [...tensors].filter(([tensor]) => !fixture.buffers.includes(tensor));
  return { network, parameters: fromTorch(new Map(trained), parameterLayout(network)) };
}
