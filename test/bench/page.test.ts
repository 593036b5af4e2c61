// Sessions in pages, with a session that does nothing.

import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cache } from "../../.build/files.mjs";
import { openPage } from "../../bench/page.mjs";

const folder = join(cache, `bench-page-${randomUUID()}`);
beforeAll(() => mkdir(folder, { recursive: true }));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Says how many cores it saw while it was imported, when it was opened, and whether threads may share memory. */
const witness = `const imported = navigator.hardwareConcurrency;
export const open = async (context) => ({
  version: "1", device: context.backend,
  cores: async () => [imported, navigator.hardwareConcurrency, crossOriginIsolated],
  refuse: async () => { throw Object.assign(new Error("not here"), { name: "NotOffered" }); },
  close() {},
});`;

async function session(cores?: number) {
  const module = join(folder, `${randomUUID()}.mjs`);
  await writeFile(module, witness);
  return openPage({ module, folders: [], context: { backend: "wasm" }, seconds: 60, ...(cores && { cores }) });
}

test("a session in a page sees the cores that it is given from its import on, and passes errors on", async () => {
  const [given, real] = [await session(7), await session()];
  expect(given.about).toMatchObject({ version: "1", device: "wasm" });
  expect(await given.call("cores", [], 10)).toEqual([7, 7, true]);
  await expect(given.call("refuse", [], 10)).rejects.toMatchObject({ name: "NotOffered", message: "not here" });
  expect(await real.call("cores", [], 10)).not.toContain(7);
  await Promise.all([given.close(), real.close()]);
  expect(given.alive()).toBe(false);
}, 120_000);
