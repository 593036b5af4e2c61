// README's quickstart is the example that test/platforms/examples.test.ts runs.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const textOf = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

/** Code without its comments, line breaks and commas before brackets. */
const bare = (code: string) =>
  code
    .replace(/\/\/.*$/gm, "")
    .replace(/\s+/g, " ")
    .replace(/ ?([{}()[\];,]) ?/g, "$1")
    .replace(/,([})\]])/g, "$1")
    .trim();

test("the quickstart is examples/train.mjs", () => {
  const [, quickstart = ""] = /^## Quickstart\n[\s\S]*?^```ts\n([\s\S]*?)^```/m.exec(textOf("README.md")) ?? [];
  expect(bare(quickstart)).toBe(bare(textOf("examples/train.mjs")));
});
