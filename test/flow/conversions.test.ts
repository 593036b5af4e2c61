// Velocity, score, noise and data: what a path's ends give directly, and every way round.
import { describe, expect, test } from "vitest";
import { convertField, fieldKinds } from "../../src/flow/conversions.ts";
import { pathScore, pointOnPath, targetVelocity } from "../../src/flow/paths/path.ts";
import { pathFrom, pathNames } from "../../src/flow/paths/registry.ts";
import { numbers, relativeError, valuesOf } from "./evaluate.ts";

const t = numbers([0.05, 0.3, 0.62, 0.95], [4, 1]);
const x0 = numbers([0.3, -1.2, 0.8, 2.1, -0.4, 0.9, -1.7, 0.2], [4, 2]);
const x1 = numbers([1.4, 0.6, -2.2, 0.1, 0.7, -0.5, 1.1, -1.9], [4, 2]);

describe.each(pathNames)("on %s", (name) => {
  const path = pathFrom({ name, options: {} }).at(t);
  const x = pointOnPath(path, x0, x1);
  const fields = { velocity: targetVelocity(path, x0, x1), score: pathScore(path, x0), noise: x0, data: x1 };

  test.each(fieldKinds.flatMap((from) => fieldKinds.map((to) => [from, to] as const)))("%s to %s", (from, to) => {
    const converted = convertField(from, to, fields[from], x, path);
    const back = convertField(to, from, converted, x, path);
    const [value, exact, again, start] = valuesOf([converted, fields[to], back, fields[from]]);
    // At t = 0.05 on vp alpha is 0.01: 2 digits go in each direction.
    expect(relativeError(value, exact)).toBeLessThan(1e-11);
    expect(relativeError(again, start)).toBeLessThan(1e-11);
  });
});
