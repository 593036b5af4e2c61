/** `divflow export`: a trained model as a file that other runtimes read. */
import { defineCommand } from "citty";
import { exportOnnx } from "../index.ts";
import { oneOf } from "./arguments.ts";
import { readBytes } from "./files.ts";
import { activationArgument, readActivation } from "./model-file.ts";
import { configArgument, readConfig } from "./network.ts";
import { remark, report } from "./output.ts";
import { forceArgument } from "./overwrite.ts";
import { readFileTarget, writeFileTo } from "./results.ts";

const formats = ["onnx"] as const;

export const exportModel = defineCommand({
  meta: { name: "export", description: "Write a trained model as a file for other runtimes" },
  args: {
    model: { type: "positional", description: "model file (.safetensors)", required: true },
    format: {
      type: "string",
      description: `${formats.join(", ")}: the velocity in standard operators`,
      default: "onnx",
    },
    activation: activationArgument,
    config: configArgument,
    out: {
      type: "string",
      description: "file to write; - is standard output. Left out: the model's name, ending in .onnx",
      valueHint: "MODEL.onnx",
    },
    force: forceArgument,
    json: { type: "boolean", description: "print one JSON document" },
  },
  async run({ args }) {
    const format = oneOf("--format", args.format, formats);
    const activation = { ...readActivation(args.activation), ...(await readConfig(args.config)) };
    const out = args.out ?? `${args.model.replace(/\.safetensors$/i, "")}.${format}`;
    const target = await readFileTarget({ ...args, out }, [args.model]);
    const file = await exportOnnx(await readBytes(args.model), { source: args.model, ...activation });
    await writeFileTo(target, file);
    const place = target.standardOutput ? "standard output" : target.path;
    const line = `Wrote the model's velocity, ${(file.length / 1e6).toFixed(2)} MB of ${format.toUpperCase()}, to ${place}`;
    if (target.standardOutput) remark(line);
    else report(args.json === true, { out, format, bytes: file.length }, [line]);
  },
});
