import { describe, expect, test } from "vitest";
import { ratioInTurns } from "../../src/cli/cost-ratio.ts";

describe("a ratio measured in turns", () => {
  /** Two kinds of step on a machine that is `slow(n)` times slower at its n-th measurement. */
  async function measured(slow: (measurement: number) => number) {
    let measurement = 0;
    const order: string[] = [];
    const step = (name: string, seconds: number) => async () => {
      order.push(name);
      return seconds * slow(measurement++);
    };
    return { ratio: await ratioInTurns(step("cfm", 0.001), step("fdm", 0.0017)), order };
  }

  test.each([
    ["is even", () => 1],
    ["compiles in the first turn", (n: number) => (n < 2 ? 100 * (n + 1) : 1)],
    ["is three times slower from the middle on", (n: number) => (n < 9 ? 1 : 3)],
    ["is slow for a moment", (n: number) => (n === 5 || n === 6 ? 20 : 1)],
    ["is busy by turns", (n: number) => (Math.floor(n / 2) % 2 === 0 ? 1 : 2)],
  ])("is exact on a machine that %s", async (_, slow) => {
    expect((await measured(slow)).ratio).toBeCloseTo(1.7, 12);
  });

  test("neither is always first, so that what a measurement leaves behind costs both", async () => {
    const { order } = await measured(() => 1);
    const firsts = order.filter((_, i) => i % 2 === 0).slice(1);
    expect(firsts).toEqual(["cfm", "fdm", "cfm", "fdm", "cfm", "fdm", "cfm"]);
    expect((await measured((n) => 1.01 ** n)).ratio).toBeGreaterThan(1.68);
    expect((await measured((n) => 1.01 ** n)).ratio).toBeLessThan(1.72);
  });
});
