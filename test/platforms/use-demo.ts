/** The demo, built into a folder of its own and served, and a browser that visits it. */
import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Browser, Page } from "puppeteer";
import { afterAll, beforeAll } from "vitest";
import { bundle } from "../../.build/bundle.mjs";
import { serveDemo } from "../../.build/demo.mjs";
import { cache, root } from "../../.build/files.mjs";
import { launchBrowser } from "../../.build/platforms/browser.mjs";

export interface Visits {
  readonly server: Awaited<ReturnType<typeof serveDemo>>;
  readonly browser: Browser;
  /** The folder, beside the root. */
  readonly built: string;
}

/** For all tests of a `describe`; there while they run. @param name - of the folder. */
export function useDemo(name: string): Visits {
  const folder = join(cache, `${name}-${randomUUID()}`);
  const built = relative(root, folder);
  const made: { -readonly [Key in keyof Visits]?: Visits[Key] } = { built };
  beforeAll(async () => {
    await mkdir(folder, { recursive: true });
    await bundle(built);
    made.server = await serveDemo({ built });
    made.browser = await launchBrowser();
  });
  afterAll(async () => {
    await made.browser?.close();
    await made.server?.close();
    await rm(folder, { recursive: true, force: true });
  });
  return made as Visits;
}

/** What the page complains of from now on. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  return complaints;
}
