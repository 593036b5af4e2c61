/** Initial parameters, drawn on the host from a seed. */
import { sizeOf } from "../graph/node.ts";
import { streamOf } from "../ops/streams.ts";
import { HostRandom, type Seed } from "../ops/threefry.ts";
import { type Network, parameterLayout } from "./network.ts";

/**
 * The flat vector of `parameterLayout(network)`, each parameter from U(-bound, bound): the distribution of PyTorch's
 * nn.Linear, but not its bits. A parameter's numbers depend on the seed, its place in the network and its size only.
 */
export function initialParameters(network: Network, seed: number | Seed): Float32Array {
  const random = new HostRandom(seed);
  const { total, entries } = parameterLayout(network);
  const flat = new Float32Array(total);
  for (const { declaration, offset } of entries) {
    const { shape, bound } = declaration;
    const stream = streamOf("parameters", network.parameters.indexOf(declaration));
    const uniform = random.uniform(sizeOf(shape), stream);
    for (let i = 0; i < uniform.length; i++) flat[offset + i] = bound * (2 * (uniform[i] as number) - 1);
  }
  return flat;
}
