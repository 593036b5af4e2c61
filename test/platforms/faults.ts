/** What people cannot read or reach on a page: by axe-core, and what is cut off on narrow screens. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Browser, Page } from "puppeteer";

/** Opens the page at each width in each scheme, and returns what is wrong. */
export async function faultsOf(
  browser: Browser,
  url: string,
  ready: (page: Page) => Promise<unknown> = async () => {},
): Promise<string[]> {
  const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  const found: string[] = [];
  for (const width of [1200, 1000, 760, 360]) {
    for (const scheme of width === 1200 || width === 360 ? ["light", "dark"] : ["light"]) {
      const page = await browser.newPage();
      await page.setViewport({ width, height: 800 });
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await page.goto(url);
      await ready(page);
      await page.$$eval("details", (all) => {
        for (const one of all) one.open = true;
      });
      await page.evaluate(axe);
      const wrong = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
        const { violations } = await axe.run();
        return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ""}`);
      });
      found.push(...wrong.map((one) => `${width}, ${scheme}: ${one}`));
      const cut = await page.evaluate(cutOff);
      found.push(...cut.map((one) => `${width}, ${scheme}: ${one}`));
      await page.close();
    }
  }
  return found;
}

/** In the page: what is wider than its room or than the window. */
function cutOff(): string[] {
  const wide = (element: Element) =>
    element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX !== "visible";
  const page = document.scrollingElement as Element;
  const elements = [...document.querySelectorAll("main *, footer")].filter(
    // What is clipped on purpose, for screen readers alone, is no fault; nor is what can be scrolled by keys.
    (element) => element.closest("thead, .unseen, [tabindex='0']") === null && element.closest("svg") === null,
  );
  return [
    ...(page.scrollWidth > innerWidth ? [`the page is ${page.scrollWidth} wide, the window ${innerWidth}`] : []),
    ...elements
      .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 || wide(element))
      .map((element) => `cut off: <${element.tagName.toLowerCase()} class="${element.className}">`),
  ];
}
