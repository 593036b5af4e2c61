// Damaged files of points: some of those that test/reliability/data-files.mjs tries, by the rule that it states.
import { expect, test } from "vitest";
import * as data from "../../src/data.ts";
import { tryDataFile } from "./data-files.mjs";

test("a table or an array, damaged in 800 ways, is refused or read as it is", async () => {
  const outcomes: Record<string, number> = {};
  for (let seed = 1; seed <= 800; seed++) {
    const { kind, outcome, wrong } = await tryDataFile(data, seed);
    if (wrong !== undefined) expect.fail(`seed ${seed}: ${wrong}`);
    const name = `${kind.slice(0, 3)} ${outcome}`;
    outcomes[name] = (outcomes[name] ?? 0) + 1;
  }
  expect(Object.keys(outcomes)).toHaveLength(6); // of each form some are refused and some are read
});
