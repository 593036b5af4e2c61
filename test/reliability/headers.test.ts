// Damaged headers of model files: some of those that test/reliability/headers.mjs tries, by the rule that it states.
import { afterAll, beforeAll, expect, test } from "vitest";
import * as divflow from "../../src/index.ts";
import * as networks from "../../src/networks.ts";
import { openedBy, tryHeader } from "./headers.mjs";

let opened: Awaited<ReturnType<typeof openedBy>>;
beforeAll(async () => {
  opened = await openedBy(divflow, networks);
});
afterAll(() => opened.runtime.dispose());

test("the header of a model file, damaged in 500 ways, is refused or means what it says", {
  timeout: 120_000,
}, async () => {
  const outcomes: Record<string, number> = {};
  for (let seed = 1; seed <= 500; seed++) {
    const { outcome, wrong } = await tryHeader(divflow, opened, seed);
    if (wrong !== undefined) expect.fail(`seed ${seed}: ${wrong}`);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  expect(Object.values(outcomes).every((count) => count > 20)).toBe(true); // both happen
});
