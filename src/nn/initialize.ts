/** Initial parameters, drawn on the host from a seed. */
import { sizeOf } from "../graph/node.ts";
import { streamOf } from "../ops/streams.ts";
import { randomBits, randomNumber, type Seed, seedOf } from "../ops/threefry.ts";
import { type Network, type ParameterDeclaration, parameterLayout } from "./network.ts";

/** Numbers drawn at once, a few milliseconds' worth: even, for random words come in pairs. */
const BLOCK = 1 << 16;

/**
 * The flat vector of `parameterLayout(network)`, each parameter as it is declared to start: the distributions of PyTorch's
 * layers, but not their bits. A parameter's numbers depend on the seed, its place in the network and its size only.
 */
export function initialParameters(network: Network, seed: number | Seed): Float32Array {
  const drawing = drawingParameters(network, seed);
  for (;;) {
    const { done, value } = drawing.next();
    if (done) return value;
  }
}

/** The same, block by block: wide networks have hundreds of millions. Yields how many are drawn. */
export function* drawingParameters(network: Network, seed: number | Seed): Generator<number, Float32Array, undefined> {
  const { total, entries } = parameterLayout(network);
  const flat = new Float32Array(total);
  for (const { declaration, offset } of entries) {
    const stream = streamOf("parameters", network.parameters.indexOf(declaration));
    const end = offset + sizeOf(declaration.shape);
    for (let from = offset; from < end; from += BLOCK) {
      const block = flat.subarray(from, Math.min(end, from + BLOCK));
      draw(block, declaration.initial, (count) => randomBits(seedOf(seed), stream, 0, count, from - offset));
      yield from + block.length;
    }
  }
  return flat;
}

function draw(
  block: Float32Array,
  initial: ParameterDeclaration["initial"],
  bitsOf: (count: number) => Uint32Array,
): void {
  const { kind } = initial;
  if (kind === "constant") {
    block.fill(initial.value);
    return;
  }
  bitsOf(block.length).forEach((bits, i) => {
    const value = randomNumber(kind, bits, 0);
    block[i] = initial.kind === "uniform" ? initial.bound * (2 * value - 1) : initial.deviation * value;
  });
}
