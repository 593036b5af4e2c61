// A signal in the middle of training leaves a run at its next report.
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { RunFolder } from "../../src/cli/run-folder.ts";
import { listenToSignals } from "../../src/cli/signals.ts";
import { trainInto } from "../../src/cli/training.ts";
import type { Progress, RunOptions, Trainer } from "../../src/index.ts";

/** What the command does at a signal; the tests' own process hears nothing of it. */
let interrupt: () => void;
beforeAll(() => {
  const before = process.listeners("SIGINT");
  listenToSignals();
  const [own] = process.listeners("SIGINT").filter((each) => !before.includes(each));
  interrupt = () => own?.("SIGINT");
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
});
afterAll(() => vi.restoreAllMocks());

const report = (step: number) => ({ step, loss: 1, steps: [{ step, loss: 1 }], seconds: 0 }) as unknown as Progress;

/** A folder that keeps nothing. */
const folder = {
  kept: "nothing",
  add: async () => {},
  saveMeanwhile: async () => {},
  save: async () => [],
  finish: async () => {},
  file: (name: string) => name,
} as unknown as RunFolder;

describe("a signal", () => {
  test("leaves a run that reports at its report, and aborts nothing", async () => {
    const told: string[] = [];
    const trainer = {
      step: 0,
      stopped: false,
      async *run({ signal }: RunOptions) {
        try {
          interrupt();
          await new Promise((resolve) => setTimeout(resolve)); // the step's validation, which an abort would skip
          told.push(signal?.aborted ? "aborted" : "validated");
          yield report(7);
          told.push("went on");
        } finally {
          told.push("left");
        }
      },
    } as unknown as Trainer;
    const { interrupted, last } = await trainInto(trainer, 10, "test", folder);
    expect({ interrupted, last: last?.step, told }).toEqual({
      ...{ interrupted: true, last: 7 },
      told: ["validated", "left"],
    });
  });
});
