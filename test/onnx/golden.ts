// The networks of the golden cases, with their weights.
import { readFileSync } from "node:fs";
import type { Shape } from "../../src/graph/node.ts";
import { networkOfCase } from "../../src/nn/case-networks.ts";
import { type Network, parameterLayout } from "../../src/nn/network.ts";
import { fromTorch, type TorchTensor } from "../../src/nn/torch.ts";

interface Fixture {
  readonly network: string;
  readonly config: unknown;
  readonly buffers: readonly string[];
  readonly weights: Readonly<Record<string, { readonly shape: Shape; readonly base64: string }>>;
}

export const goldenNames = [
  ...["unet1d", "unet1d-conditioned", "cnn", "cnn-classes", "transformer", "unet2d", "unet2d-classes", "sit"],
];

export function goldenNetwork(name: string): { readonly network: Network; readonly parameters: Float32Array } {
  const fixture: Fixture = JSON.parse(readFileSync(new URL(`../networks/${name}.json`, import.meta.url), "utf8"));
  const tensors = new Map(
    Object.entries(fixture.weights).map(([tensor, { shape, base64 }]): [string, TorchTensor] => {
      const bytes = Uint8Array.from(Buffer.from(base64, "base64"));
      return [tensor, { shape, values: new Float32Array(bytes.buffer) }];
    }),
  );
  const buffer = (tensor: string) => Array.from((tensors.get(tensor) as TorchTensor).values);
  const network = networkOfCase(fixture.network, fixture.config, buffer);
  const trained = [...tensors].filter(([tensor]) => !fixture.buffers.includes(tensor));
  return { network, parameters: fromTorch(new Map(trained), parameterLayout(network)) };
}
