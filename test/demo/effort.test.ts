/** How much the demo draws: what is seen within a moment on a slow device, and all of it on a fast one. */
import { describe, expect, test } from "vitest";
import { Efforts, STILL_BUDGET, TRAINING_BUDGET } from "../../demo/train/effort.ts";

const least = { particles: 256, lattice: 9, cells: 24, steps: 5 };

/** What a device that takes so many milliseconds for a cell's solver step settles on after `rounds` rounds. */
function settled(millisecondsPerCell: number, rounds: number) {
  const efforts = new Efforts(TRAINING_BUDGET);
  for (let i = 0; i < rounds; i++) {
    const { cells, steps } = efforts.effort;
    efforts.measured(cells * cells * steps * millisecondsPerCell);
  }
  return efforts.effort;
}

describe("efforts", () => {
  test("begin with little, whatever the device", () => {
    expect(new Efforts(TRAINING_BUDGET).effort).toEqual(least);
  });

  test("stay little where even that takes long", () => {
    expect(settled(1, 10)).toEqual(least);
  });

  test("go up one by one on a fast device, to all", () => {
    expect(settled(1e-5, 1)).toMatchObject({ cells: 32, steps: 6 });
    expect(settled(1e-5, 10)).toMatchObject({ cells: 96, steps: 16, particles: 1536 });
  });

  test("come down when a device slows down", () => {
    const efforts = new Efforts(TRAINING_BUDGET);
    for (let i = 0; i < 10; i++) efforts.measured(1);
    expect(efforts.measured(200_000)).toBe(false);
    expect(efforts.effort).toEqual(least);
  });

  test("are more where nothing else is to do, and no less than they were", () => {
    const [training, still] = [new Efforts(TRAINING_BUDGET), new Efforts(STILL_BUDGET)];
    for (let i = 0; i < 3; i++) training.measured(1);
    still.raiseTo(training);
    expect(still.effort).toEqual(training.effort);
    const { cells, steps } = training.effort;
    const each = 0.02 * cells * cells * steps;
    training.measured(each);
    still.measured(each);
    expect(still.effort.cells).toBeGreaterThan(training.effort.cells);
    still.raiseTo(training);
    expect(still.effort.cells).toBeGreaterThan(training.effort.cells);
  });

  test("settle: what is affordable is not left again", () => {
    for (const milliseconds of [1e-5, 1e-3, 1e-2, 0.1]) {
      expect(settled(milliseconds, 20)).toEqual(settled(milliseconds, 21));
    }
  });
});
