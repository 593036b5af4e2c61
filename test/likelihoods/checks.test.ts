// Identities of paths that have a score: every one of the registry, the further ones, and the Brownian bridge; and that paths
// which break them are found.
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/errors.ts";
import { veSDE } from "../../src/flows.ts";
import type { Node } from "../../src/graph/node.ts";
import { type PathScheduler, pathFrom, pathNames } from "../../src/index.ts";
import { type CheckedPath, continuityError, steinIdentity } from "../../src/likelihoods.ts";
import { multiply, square } from "../../src/ops/arithmetic.ts";

const paths: readonly (readonly [string, CheckedPath])[] = [
  ...pathNames.map((name) => [name, pathFrom({ name, options: {} })] as const),
  ["cond-ot with sigmaMin", pathFrom({ name: "cond-ot", options: { sigmaMin: 0.1 } })],
  ["ve-sde", veSDE()],
  ["a narrow bridge", { bridge: 0.1 }],
  ["a wide bridge", { bridge: 2 }],
];

describe.each(paths)("%s", (_, path) => {
  test.each([1, 3])("has Stein's identity, in %i dimensions", (dimension) => {
    const { mean, standardError } = steinIdentity(path, { dimension, seed: 5 });
    expect(Math.abs(mean)).toBeLessThan(4 * standardError);
    expect(standardError).toBeLessThan(0.1); // of terms of size 1 to 3
  });

  test("obeys the continuity equation", () => {
    expect(continuityError(path, { seed: 2 })).toBeLessThan(1e-9);
  });
});

const path = pathFrom({ name: "cosine", options: {} });
const changed = (
  change: Partial<ReturnType<PathScheduler["at"]>> | ((at: ReturnType<PathScheduler["at"]>) => object),
) =>
  ({
    ...path,
    at: (t) => {
      const values = path.at(t);
      return { ...values, ...(typeof change === "function" ? change(values) : change) };
    },
  }) as PathScheduler;

test("a rate that is not its value's is found by the continuity equation", () => {
  const alpha = changed(({ alphaRate }) => ({ alphaRate: multiply(alphaRate, 1.01) }));
  const sigma = changed(({ sigmaRate }) => ({ sigmaRate: multiply(sigmaRate, 1.01) }));
  for (const wrong of [alpha, sigma]) expect(continuityError(wrong)).toBeGreaterThan(1e-3);
});

test("Stein's identity takes fields of one's own", () => {
  for (const field of [(x: Node) => x, (x: Node) => square(x)]) {
    const { mean, standardError } = steinIdentity(path, { field, count: 20_000 });
    expect(Math.abs(mean)).toBeLessThan(4 * standardError);
    expect(standardError).toBeLessThan(0.05); // each half of it has a mean of 1 or more
  }
});

test("wrong options are refused", () => {
  for (const wrong of [{ dimension: 0 }, { count: 1 }, { seed: -1 }, { from: 2 }, { to: 0.01 }, { dimensions: 2 }]) {
    expect(() => steinIdentity(path, wrong)).toThrow(ConfigError);
    expect(() => continuityError(path, wrong)).toThrow(ConfigError);
  }
  expect(() => steinIdentity({} as never)).toThrow(/path of steinIdentity/);
  expect(() => continuityError({ bridge: 0 })).toThrow(/bridge of continuityError/);
});
