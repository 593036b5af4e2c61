// Runs of the command that are ended at random moments: some of those that test/reliability/kills.mjs tries, by its rule.
import { afterAll, beforeAll, expect, test } from "vitest";
import { useCli } from "../cli/run.ts";
import { closeSetting, openSetting, tryKills } from "./kills.mjs";

const cli = useCli();

let setting: Awaited<ReturnType<typeof openSetting>>;
beforeAll(async () => {
  setting = await openSetting(cli.script);
});
afterAll(() => closeSetting(setting));

test.each([1, 2, 5, 7])("a run that is ended goes on to the same bits, seed %i", async (seed) => {
  const { wrong } = await tryKills(setting, seed);
  if (wrong !== undefined) expect.fail(wrong);
});
