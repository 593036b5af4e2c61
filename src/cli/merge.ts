/** `divflow merge`: puts together what was made in parts, to the bits of what one machine makes at once. */
import { defineCommand } from "citty";
import { ConfigError, DataError, type LogDensity } from "../index.ts";
import { type Evaluation, evaluationOf, perRow } from "./evaluation.ts";
import { gather, jobFoldersIn } from "./experiment/gather.ts";
import { type FoundPart, partFilesIn, readParts } from "./merge-parts.ts";
import { filesOf, mergeSamples } from "./merge-samples.ts";
import { remark, report } from "./output.ts";
import { counted } from "./report/numbers.ts";
import { readTarget, resultArguments, writeResults } from "./results.ts";

export const merge = defineCommand({
  meta: { name: "merge", description: "Put together what --shard or --jobs made in parts" },
  args: {
    files: {
      type: "positional",
      description: "the parts: files that --shard wrote, folders of them, or folders of jobs",
      required: true,
    },
    out: {
      type: "string",
      description:
        "file for all rows, of the parts' format (- is standard output; none needed of evaluations); folder for jobs",
    },
    ...resultArguments,
    json: { type: "boolean", description: "print one JSON document" },
  },
  async run({ args }) {
    const jobs = await jobFoldersIn(args._);
    if (jobs.length > 0) return gather(jobs, { out: args.out, force: args.force === true, json: args.json === true });
    const files = await partFilesIn(args._);
    const parts = await readParts(files);
    remarkOnDevices(parts);
    const inputs = [...files, ...filesOf(parts)];
    const target = args.out === undefined ? undefined : await readTarget({ ...args, out: args.out }, inputs);
    const [{ part }] = parts;
    const { count } = part.part;
    const from = `${counted(count, "row")} in ${counted(parts.length, "part")}`;
    if (part.command === "evaluate") {
      const evaluation = part.document as unknown as Evaluation & { readonly isEstimated: boolean };
      const density = densityOf(parts);
      const { document, lines } = evaluationOf(density, evaluation);
      if (target) await writeResults(target, perRow(density, evaluation.isEstimated));
      if (target?.standardOutput) lines.forEach(remark);
      else {
        report(args.json === true, target ? { ...document, out: args.out } : document, [
          ...lines,
          ...(target ? [`Wrote each row's log-density to ${args.out}`] : []),
        ]);
      }
      return;
    }
    if (!target) throw noFile();
    await mergeSamples(target, parts);
    const seconds = parts.reduce((sum, one) => sum + one.part.seconds, 0);
    const line = `Wrote ${from} to ${target.standardOutput ? "standard output" : target.path}, ${seconds.toFixed(2)} s of all machines`;
    const document = { ...part.document, seconds, out: args.out, format: target.format };
    if (target.standardOutput) remark(line);
    else report(args.json === true, document, [line]);
  },
});

function noFile(): ConfigError {
  return new ConfigError({
    subject: "--out",
    given: "nothing",
    expected: "a file for the samples",
    remedy: "Name one of the parts' format.",
  });
}

/** Equal backends on different devices may differ in the last bit: of which devices the whole is has to be known. */
function remarkOnDevices(parts: readonly FoundPart[]): void {
  const devices = [...new Set(parts.map(({ part }) => part.device))];
  if (devices.length < 2) return;
  remark(`Parts are of different devices, ${devices.join(" and ")}: each part has the bits of its own.`);
}

function densityOf(parts: readonly FoundPart[]): LogDensity {
  const joined = (of: "logDensities" | "standardErrors") =>
    Float64Array.from(
      parts.flatMap(({ name, part }) => {
        const { first, last } = part.part;
        const values = part[of];
        if (values?.length === last - first) return values.map((value) => value ?? Number.NaN);
        throw new DataError({
          subject: name,
          given: `${values?.length ?? 0} log-densities`,
          expected: `${last - first}, one for each row`,
          remedy: "The file was changed: make the part again.",
        });
      }),
    );
  return { values: joined("logDensities"), standardError: joined("standardErrors") };
}
