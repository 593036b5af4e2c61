/** Who the demo says is ahead, at equal steps and at equal seconds. */
import { expect, test } from "vitest";
import { atEqualSeconds, atEqualSteps, type Sampled, standingWords } from "../../demo/page/ahead.ts";

const titles = { left: "CFM", right: "FDM 0.3" };

/** A history whose steps take so many seconds each. */
function history(secondsPerStep: number, likelihoods: readonly number[], likelihoodError = 0.005): Sampled[] {
  return likelihoods.map((likelihood, i) => {
    const step = 100 * (i + 1);
    return { step, seconds: step * secondsPerStep, likelihood, likelihoodError };
  });
}

test("a model that is better by the step may be behind by the second", () => {
  const histories = { left: history(0.01, [4.3, 4.2, 4.1]), right: history(0.02, [4.28, 4.16, 4.05]) };
  expect(atEqualSteps(histories)).toMatchObject({ step: 300, likelihood: { left: 4.1, right: 4.05 }, leader: "right" });
  // The left one's 300 steps took 3 s; the right one was then at step 150, between its first and second measurements.
  const seconds = atEqualSeconds(histories);
  expect(seconds).toMatchObject({ seconds: 3, leader: "left" });
  expect(seconds?.likelihood.right).toBeCloseTo(4.22, 12);
  expect(seconds && standingWords(seconds, titles)).toBe("CFM ahead: 4.100 nats against 4.220");
});

test("what could be chance is said to be", () => {
  const few = { left: history(0.01, [4.1], 0.02), right: history(0.01, [4.15], 0.02) };
  const standing = atEqualSteps(few);
  expect(standing?.leader).toBeUndefined();
  expect(standing && standingWords(standing, titles)).toMatch(/no difference beyond chance/);
});

test("between two measurements the larger error counts", () => {
  const histories = {
    left: [{ step: 150, seconds: 1.5, likelihood: 4.1, likelihoodError: 0.001 }],
    right: history(0.01, [4.2, 4.0]).map((one, i) => ({ ...one, likelihoodError: i === 0 ? 0.1 : 0.001 })),
  };
  expect(atEqualSeconds(histories)).toMatchObject({ seconds: 1.5, leader: undefined });
});

test("nothing is said before both were measured", () => {
  expect(atEqualSteps({ left: history(0.01, [4.1]), right: [] })).toBeUndefined();
  expect(atEqualSteps({ left: history(0.01, [4.1, 4.1]), right: history(0.01, [4.1]) })).toBeUndefined();
  expect(atEqualSeconds({ left: history(0.01, [4.1]), right: history(0.02, [4.1]) })).toBeUndefined();
});
