/**
 * Events C > 0 of trajectories, as functions that `defineGuidance` takes: `defineGuidance({ name: "calm", build: lorenzEvent })`.
 * They read samples [B, L, C] in the units of the data sets here, and give [B, 1].
 */
import { ConfigError } from "../../errors.ts";
import type { Node } from "../../graph/node.ts";
import { add, multiply, sqrt, square, subtract } from "../../ops/arithmetic.ts";
import { matmul } from "../../ops/matmul.ts";
import { max, mean } from "../../ops/reduce.ts";
import { reshape, slice } from "../../ops/shape.ts";
import { table } from "../../ops/sources.ts";

/** Keeps the root's derivative finite where an amplitude is 0; far below what f32 adds to any other. */
const LEAST = 1e-30;

/**
 * C = 0.6 - the mean amplitude of x's discrete Fourier transform over its frequencies k = 1, ..., floor(L / 2), without
 * normalisation: above 0 where the trajectory keeps to one wing for long.
 */
export function lorenzEvent({ samples }: { readonly samples: Node }): Node {
  const [rows, length] = expectTrajectories("lorenzEvent", samples, 1);
  const frequencies = Math.floor(length / 2);
  const x = reshape(slice(samples, 2, 0, 1), [rows, length]);
  const part = (of: (angle: number) => number) => {
    const values = Array.from({ length: length * frequencies }, (_, i) => {
      const [l, k] = [Math.floor(i / frequencies), 1 + (i % frequencies)];
      return of((2 * Math.PI * ((k * l) % length)) / length);
    });
    return matmul(x, table(values, [length, frequencies]));
  };
  const power = add(square(part(Math.cos)), square(part(Math.sin)));
  return subtract(0.6, mean(sqrt(add(power, LEAST)), [1]));
}

/** C = max over time of (x1 + x2) / 2, minus 2.5: above 0 where both cells spike. */
export function fitzHughNagumoEvent({ samples }: { readonly samples: Node }): Node {
  const [rows, length] = expectTrajectories("fitzHughNagumoEvent", samples, 2);
  const cells = multiply(add(slice(samples, 2, 0, 1), slice(samples, 2, 1, 2)), 0.5);
  return subtract(max(reshape(cells, [rows, length]), [1]), 2.5);
}

function expectTrajectories(of: string, samples: Node, least: number): readonly [rows: number, length: number] {
  const [rows = 0, length = 0, coordinates = 0] = samples.shape;
  if (samples.shape.length === 3 && length >= 2 && coordinates >= least) return [rows, length];
  throw new ConfigError({
    subject: `samples of ${of}`,
    given: `shape [${samples.shape.join(", ")}]`,
    expected: `trajectories [B, L, C] of 2 states or more, with ${least} coordinate${least > 1 ? "s" : ""} or more`,
    remedy: "Ask a model of the system's trajectories.",
  });
}
