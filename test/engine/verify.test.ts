// Golden cases through a whole runtime, on the reference backend; test/conformance/flow.ts has the devices.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createLocalRuntime } from "../../src/engine/runtime.ts";
import { verifyCase, verifyTolerances } from "../../src/engine/verify.ts";
import { DataError } from "../../src/errors.ts";

const names = ["cond-ot-silu", "cosine-softplus", "linear-vp-tanh", "poly3-silu", "ve-sin", "vp-gelu"];
const textOf = (name: string) => readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), "utf8");

test.each(names)("%s agrees on the reference backend, and leaves no memory behind", async (name) => {
  using runtime = await createLocalRuntime({ backend: "reference" });
  const errors = await verifyCase(runtime, textOf(name), name);
  expect(Object.keys(errors)).toHaveLength(22);
  expect(Object.entries(errors).filter(([, error]) => !(error <= verifyTolerances.reference))).toEqual([]);
  expect(await runtime.memory()).toEqual({ buffers: 0, bytes: 0 });
});

test("a case with a wrong field is refused by its file's name", async () => {
  using runtime = await createLocalRuntime({ backend: "reference" });
  await expect(verifyCase(runtime, '{"batch": 0}', "mine.json")).rejects.toThrow("mine.json: batch: got 0");
  await expect(verifyCase(runtime, "[", "mine.json")).rejects.toThrow(DataError);
});
