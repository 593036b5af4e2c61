/** The page's equations: what each says, that it is well formed, and that it has words for who does not see it. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const page = readFileSync(new URL("../../demo/index.html", import.meta.url), "utf8");
const blocks = [...page.matchAll(/<div class="equation">([\s\S]*?)<\/div>/g)].map(([, block]) => block as string);

/** What is written, without the marks: rows apart by ";". */
const read = (math: string) =>
  math
    .replace(/<\/mtr>\s*<mtr>/g, ";")
    .replace(/<[^>]*>/g, "")
    .replace(/\s/g, "");

test("the equations of the text say what they should", () => {
  expect(blocks.map((block) => read(/<math[\s\S]*<\/math>/.exec(block)?.[0] ?? ""))).toEqual([
    "dxdt=v(x,t),x(0)∼N(0,I)",
    "LCFM=E‖v(xt,t)−(x1−x0)‖2;xt=(1−t)x0+tx1",
    "ddtlogpt(x(t))=−∇·v(x(t),t)",
    "r=∇·(v−u)+(v−u)·∇logpt;TV(p^1,p1)≤12∫01E|r(x,t)|dt;LFDM=LCFM+λE[(1−t)2r2]",
    "∇·v=trJ=Ez[zTJz],zi=±1",
    "logp1(x(1))=logp0(x(0));−∫01∇·v(x(t),t)dt",
  ]);
});

test.each(blocks)("an equation is well formed, and is said in words instead of marks", (block) => {
  const open: string[] = [];
  for (const [, isEnd, name] of block.matchAll(/<(\/?)([a-z]+)[^>]*>/g)) {
    if (!isEnd) open.push(name as string);
    else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
  expect(block).toMatch(/<math display="block" aria-hidden="true">/);
  const words = /<span class="unseen">([\s\S]*?)<\/span>/.exec(block)?.[1] ?? "";
  expect(words).toMatch(/^[A-Za-z][\w\s,;:'.-]{50,}\.$/); // no sign that a screen reader would pass over
});
