// The backends' check of all ops, run on the reference backend: it must pass there, and notice what is wrong.
import { expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createReferenceBackend } from "../../src/backends/reference/backend.ts";
import { caseGraphs } from "../conformance/op-cases.ts";
import { checkOps } from "../conformance/ops.ts";

test("every op on the reference backend", async () => {
  const backend = createReferenceBackend();
  await checkOps(backend, caseGraphs(1));
  expect(backend.memory()).toEqual({ buffers: 0, bytes: 0 });
});

test("a backend that is off by 1e-4 of the largest is found out", async () => {
  const reference = createReferenceBackend();
  const wrong: Backend = {
    ...reference,
    read: async (...given) => (await reference.read(...given)).map((value) => value * (1 + 1e-4)),
  };
  await expect(checkOps(wrong, caseGraphs(1))).rejects.toThrow("relative error is 1.00e-4");
});
