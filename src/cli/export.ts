/** `divflow export`: a trained model as a file that other runtimes read, or as a page that samples it. */
import { basename } from "node:path";
import { defineCommand } from "citty";
import { exportHtml } from "../html.ts";
import { ConfigError, exportOnnx } from "../index.ts";
import { oneOf } from "./arguments.ts";
import { readBytes } from "./files.ts";
import { activationArgument, readActivation } from "./model-file.ts";
import { configArgument, readConfig } from "./network.ts";
import { remark, report } from "./output.ts";
import { forceArgument } from "./overwrite.ts";
import { readFileTarget, writeFileTo } from "./results.ts";

const formats = ["onnx", "html"] as const;

export const exportModel = defineCommand({
  meta: { name: "export", description: "Write a trained model as a file for other runtimes, or as a page" },
  args: {
    model: { type: "positional", description: "model file (.safetensors)", required: true },
    format: {
      type: "string",
      description: "onnx: the velocity in standard operators; html: a page that samples it, without a network",
      default: "onnx",
    },
    title: { type: "string", description: "heading of the page, with --format html. Left out: the model's name" },
    activation: activationArgument,
    config: configArgument,
    out: {
      type: "string",
      description: "file to write; - is standard output. Left out: the model's name, ending in .onnx or .html",
      valueHint: "FILE",
    },
    force: forceArgument,
    json: { type: "boolean", description: "print one JSON document" },
  },
  async run({ args }) {
    const format = oneOf("--format", args.format, formats);
    const activation = { ...readActivation(args.activation), ...(await readConfig(args.config)) };
    if (args.title !== undefined && format !== "html") {
      throw new ConfigError({
        subject: "--title",
        given: `${args.title} with --format ${format}`,
        expected: "no such option there: it is the heading of a page",
        remedy: "Leave it out, or choose --format html.",
      });
    }
    const name = args.model.replace(/\.safetensors$/i, "");
    const out = args.out ?? `${name}.${format}`;
    const target = await readFileTarget({ ...args, out }, [args.model]);
    const [bytes, reading] = [await readBytes(args.model), { source: args.model, ...activation }];
    const title = args.title ?? `Samples of ${basename(name)}`;
    const file =
      format === "html"
        ? new TextEncoder().encode(await exportHtml(bytes, { ...reading, title }))
        : await exportOnnx(bytes, reading);
    await writeFileTo(target, file);
    const place = target.standardOutput ? "standard output" : target.path;
    const what = format === "html" ? "a page that samples the model" : "the model's velocity";
    const line = `Wrote ${what}, ${(file.length / 1e6).toFixed(2)} MB of ${format.toUpperCase()}, to ${place}`;
    if (target.standardOutput) remark(line);
    else report(args.json === true, { out, format, bytes: file.length }, [line]);
  },
});
