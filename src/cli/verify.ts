/** `divflow verify`: golden cases on this very device: the self test for an unknown GPU. */
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineCommand } from "citty";
import { type CaseErrors, DivflowError, verifyCase, verifyTolerances } from "../index.ts";
import { positiveNumber } from "./arguments.ts";
import { readBytes } from "./files.ts";
import { complain, exitCodeOf, exitCodes, report } from "./output.ts";
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
    tolerance: { type: "string", description: "largest relative error (5e-5; reference 1e-8; f16 storage 3.9e-3)" },
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
    const { backend, device } = runtime;
    const largest = tolerance ?? verifyTolerances[choice.storage === "f16" ? "f16" : backend];
    const isJson = args.json === true;
    const say = (lines: readonly string[]) => isJson || report(false, undefined, lines);
    const names = given.length > 0 ? files : files.map((file) => basename(file));
    const cases: Verified[] = [];
    const refused: Refused[] = [];
    for (const [i, text] of texts.entries()) {
      const [file, name] = [files[i] as string, names[i] as string];
      try {
        const errors = await verifyCase(runtime, text, name);
        // Written so that NaN fails too.
        const one = { file, errors, ok: Object.values(errors).every((error) => error <= largest) };
        if (cases.length === 0) say([`${backend}: ${device}; largest error allowed ${largest.toExponential()}`]);
        cases.push(one);
        say(linesOf(name, one, largest));
      } catch (error) {
        if (!(error instanceof DivflowError) || exitCodeOf(error) !== exitCodes.badInput) throw error;
        if (files.length === 1) throw error;
        refused.push({ file, message: error.message });
        complain(error.message);
      }
    }
    const failed = cases.filter(({ ok }) => !ok).length;
    if (isJson) report(true, { backend, device, cases, refused }, []);
    say(summaryOf(cases, refused.length));
    if (refused.length > 0) return exitCodes.badInput;
    return failed === 0 ? exitCodes.success : exitCodes.failure;
  },
});

interface Verified {
  readonly file: string;
  readonly errors: CaseErrors;
  readonly ok: boolean;
}

interface Refused {
  readonly file: string;
  readonly message: string;
}

/** A line for the file, and one for each quantity; what is above the tolerance carries a mark. */
function linesOf(name: string, { errors, ok }: Verified, largest: number): string[] {
  const entries = Object.entries(errors);
  const [quantity, error] = worstOf(errors);
  const width = Math.max(...entries.map(([each]) => each.length));
  return [
    `${ok ? " " : "!"} ${name}: ${ok ? "agrees" : "DISAGREES"}, largest error ${error.toExponential(1)} (${quantity})`,
    ...entries.map(
      ([each, value]) => `  ${value <= largest ? " " : "!"} ${each.padEnd(width)}   ${value.toExponential(1)}`,
    ),
  ];
}

/** The quantity that is furthest off; one that is no number is. */
function worstOf(errors: CaseErrors): readonly [string, number] {
  const [first, ...others] = Object.entries(errors) as [[string, number], ...[string, number][]];
  return others.reduce((worst, each) => (each[1] <= worst[1] || Number.isNaN(worst[1]) ? worst : each), first);
}

function summaryOf(cases: readonly Verified[], refused: number): string[] {
  const failed = cases.filter(({ ok }) => !ok).length;
  const lines: string[] = [];
  if (cases.length > 0 && failed === 0) {
    const all = cases.map(({ file, errors }) => [file, ...worstOf(errors)] as const);
    const [file, quantity, error] = all.reduce((worst, each) => (each[2] > worst[2] ? each : worst));
    const where = `${quantity} of ${basename(file)}`;
    lines.push(`All ${cases.length} cases agree: largest error ${error.toExponential(1)} (${where}).`);
  }
  if (failed > 0) lines.push(`${failed} of ${cases.length} cases DISAGREE.`);
  if (refused > 0) lines.push(`${refused} of ${cases.length + refused} files could not be run.`);
  return lines;
}
