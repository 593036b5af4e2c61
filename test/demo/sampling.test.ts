/** How many samples the demo draws: what is seen within a moment on a slow device, and all of them on a fast one. */
import { describe, expect, test } from "vitest";
import { Sampling } from "../../demo/sampling.ts";

/** What a device that takes so many milliseconds for a sample's solver step settles on after `rounds` rounds. */
function settled(millisecondsPerRow: number, rounds: number) {
  const sampling = new Sampling();
  for (let i = 0; i < rounds; i++) {
    const { count, steps } = sampling.effort;
    sampling.measured(count * steps * millisecondsPerRow);
  }
  return sampling.effort;
}

describe("sampling", () => {
  test("begins with little, whatever the device", () => {
    expect(new Sampling().effort).toEqual({ count: 256, steps: 4 });
  });

  test("stays with little where even that takes long", () => {
    expect(settled(0.35, 10)).toEqual({ count: 256, steps: 4 });
  });

  test("goes up one by one on a fast device, to all", () => {
    expect(settled(1e-4, 1)).toEqual({ count: 512, steps: 6 });
    expect(settled(1e-4, 10)).toEqual({ count: 4096, steps: 12 });
  });

  test("comes down when a device slows down", () => {
    const sampling = new Sampling();
    for (let i = 0; i < 10; i++) sampling.measured(1);
    expect(sampling.measured(20_000)).toBe(false);
    expect(sampling.effort).toEqual({ count: 256, steps: 4 });
  });

  test("settles: what is affordable is not left again", () => {
    for (const milliseconds of [1e-4, 1e-3, 1e-2, 0.1]) {
      expect(settled(milliseconds, 20)).toEqual(settled(milliseconds, 21));
    }
  });
});
