/** `divflow verify`: golden cases on this very device: the self test for an unknown GPU. */
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineCommand } from "citty";
import { type CaseErrors, verifyCase, verifyTolerances } from "../index.ts";
import { positiveNumber } from "./arguments.ts";
import { readBytes } from "./files.ts";
import { exitCodes, report, textTable } from "./output.ts";
import { backendArgument, openRuntime, readRuntime, storageArgument, threadsArgument } from "./runtime.ts";

/** The cases that ship with divflow: dist/cases, beside the built command. */
const shippedCases = fileURLToPath(new URL("./cases", import.meta.url));

export const verify = defineCommand({
  meta: { name: "verify", description: "Run golden cases on this device and print the largest errors" },
  args: {
    files: {
      type: "positional",
      description: "case files (.json); default: those that ship with divflow",
      required: false,
    },
    backend: backendArgument,
    threads: threadsArgument,
    storage: storageArgument,
    tolerance: { type: "string", description: "largest relative error (2e-5; reference 1e-9; f16 storage 3.9e-3)" },
    json: { type: "boolean", description: "print one JSON document" },
  },
  async run({ args }) {
    const given = args.files === undefined ? [] : args._;
    const choice = readRuntime(args);
    const tolerance = args.tolerance === undefined ? undefined : positiveNumber("--tolerance", args.tolerance);
    const files =
      given.length > 0 ? given : (await readdir(shippedCases)).sort().map((file) => join(shippedCases, file));
    const texts = await Promise.all(files.map(async (file) => new TextDecoder().decode(await readBytes(file))));

    using runtime = await openRuntime(choice);
    const largest = tolerance ?? verifyTolerances[choice.storage === "f16" ? "f16" : runtime.backend];
    const cases: { file: string; errors: CaseErrors; ok: boolean }[] = [];
    for (const [i, text] of texts.entries()) {
      const errors = await verifyCase(runtime, text, basename(files[i] as string));
      // Written so that NaN fails too.
      cases.push({ file: files[i] as string, errors, ok: Object.values(errors).every((error) => error <= largest) });
    }
    const { device } = runtime;
    const failed = cases.filter(({ ok }) => !ok).length;
    report(args.json === true, { backend: runtime.backend, device, cases }, [
      `${runtime.backend}: ${device}; largest error allowed ${largest.toExponential()}`,
      ...errorTable(cases),
      failed === 0 ? `All ${cases.length} cases agree.` : `${failed} of ${cases.length} cases DISAGREE.`,
    ]);
    return failed === 0 ? exitCodes.success : exitCodes.failure;
  },
});

/** A row for each quantity, a column for each case; what is above the tolerance carries a mark in its case's head. */
function errorTable(cases: readonly { file: string; errors: CaseErrors; ok: boolean }[]): string[] {
  const quantities = [...new Set(cases.flatMap(({ errors }) => Object.keys(errors)))];
  return textTable([
    ["", ...cases.map(({ file, ok }) => `${ok ? "" : "! "}${basename(file, ".json")}`)],
    ...quantities.map((quantity) => [
      quantity,
      ...cases.map(({ errors }) => (errors[quantity] === undefined ? "-" : errors[quantity].toExponential(1))),
    ]),
  ]);
}
