/** Initial parameters, drawn on the host from a seed. */
import { sizeOf } from "../graph/node.ts";
import { streamOf } from "../ops/streams.ts";
import { HostRandom, type Seed } from "../ops/threefry.ts";
import { type Network, type ParameterDeclaration, parameterLayout } from "./network.ts";

/**
 * The flat vector of `parameterLayout(network)`, each parameter as it is declared to start: the distributions of PyTorch's
 * layers, but not their bits. A parameter's numbers depend on the seed, its place in the network and its size only.
 */
export function initialParameters(network: Network, seed: number | Seed): Float32Array {
  const random = new HostRandom(seed);
  const { total, entries } = parameterLayout(network);
  const flat = new Float32Array(total);
  for (const { declaration, offset } of entries) {
    const stream = streamOf("parameters", network.parameters.indexOf(declaration));
    flat.set(initialValues(declaration, random, stream), offset);
  }
  return flat;
}

function initialValues({ shape, initial }: ParameterDeclaration, random: HostRandom, stream: number): Float32Array {
  const count = sizeOf(shape);
  switch (initial.kind) {
    case "uniform":
      return Float32Array.from(random.uniform(count, stream), (value) => initial.bound * (2 * value - 1));
    case "normal":
      return Float32Array.from(random.normal(count, stream), (value) => initial.deviation * value);
    case "constant":
      return new Float32Array(count).fill(initial.value);
  }
}
