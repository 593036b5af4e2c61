/** Who the demo says is ahead, at equal steps and at equal seconds. */
import { expect, test } from "vitest";
import { atEqualSeconds, atEqualSteps, type Sampled, standingWords } from "../../demo/ahead.ts";

/** A history whose steps take so many seconds each. */
function history(secondsPerStep: number, shares: readonly number[], count = 4096): Sampled[] {
  return shares.map((outside, i) => ({ step: 100 * (i + 1), seconds: 100 * (i + 1) * secondsPerStep, outside, count }));
}

test("a model that is better by the step may be behind by the second", () => {
  const histories = { cfm: history(0.01, [0.3, 0.2, 0.1]), fdm: history(0.02, [0.28, 0.16, 0.05]) };
  expect(atEqualSteps(histories)).toMatchObject({ step: 300, outside: { cfm: 0.1, fdm: 0.05 }, leader: "fdm" });
  // CFM's 300 steps took 3 s; FDM was then at step 150, between its first and second samples.
  const seconds = atEqualSeconds(histories);
  expect(seconds).toMatchObject({ seconds: 3, leader: "cfm" });
  expect(seconds?.outside.fdm).toBeCloseTo(0.22, 12);
  expect(seconds && standingWords(seconds)).toBe("CFM ahead: 10.0 % outside against 22.0 %");
});

test("what could be chance is said to be", () => {
  const few = { cfm: history(0.01, [0.1], 256), fdm: history(0.01, [0.12], 256) };
  const standing = atEqualSteps(few);
  expect(standing?.leader).toBeUndefined();
  expect(standing && standingWords(standing)).toMatch(/no difference beyond chance/);
});

test("nothing is said before both were sampled", () => {
  expect(atEqualSteps({ cfm: history(0.01, [0.1]), fdm: [] })).toBeUndefined();
  expect(atEqualSteps({ cfm: history(0.01, [0.1, 0.1]), fdm: history(0.01, [0.1]) })).toBeUndefined();
  expect(atEqualSeconds({ cfm: history(0.01, [0.1]), fdm: history(0.02, [0.1]) })).toBeUndefined();
});
