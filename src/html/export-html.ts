/** A model as a page of its own: one file that samples it without a network. */
import { onDemand } from "../backends/on-demand.ts";
import type { Model } from "../engine/api.ts";
import { type GivenModelOptions, givenModel } from "../engine/given-model.ts";
import { startingFrom } from "../engine/start.ts";
import { LimitError, UnsupportedError } from "../errors.ts";
import { textOption } from "../graph/options.ts";
import { type ModelRecord, writeCheckpoint } from "../train/checkpoint.ts";
import { base64 } from "./base64.ts";
import { factsOf } from "./facts.ts";

/** Options of {@link exportHtml}. */
export interface ExportHtmlOptions extends GivenModelOptions {
  /** The page's heading. Default: "Samples of a trained model". */
  readonly title?: string;
}

const TITLE = "Samples of a trained model";

/** Pages hold the model as text; browsers hold no longer ones. */
const MOST_BYTES = 256 * 2 ** 20;

/**
 * The model as one HTML file: opened from disk, in any browser with WebAssembly SIMD, it draws samples without a network, by
 * divflow itself, which is inside. Equal seeds and settings give the bits that {@link Model.sample} gives on the same backend.
 * The file holds the parameters that are sampled with, and nothing that training needed.
 *
 * Its size is that of the engine, 0.4 MB, and four thirds of the parameters'. What the engine is in is imported when this is
 * first called; no runtime is needed.
 *
 * @param model - a model, or the bytes of a safetensors file.
 * @throws {@link UnsupportedError} when the model starts from points that are in no file, or its path leads to letters.
 * @throws {@link LimitError} when the parameters are more than 256 MiB.
 * @throws {@link CheckpointError} or {@link ConfigError} as `load` does.
 * @example
 * const page = await exportHtml(model, { title: "Two moons" });
 * const address = URL.createObjectURL(new Blob([page], { type: "text/html" }));
 */
export async function exportHtml(
  model: Model | Uint8Array | ArrayBuffer,
  options: ExportHtmlOptions = {},
): Promise<string> {
  const { record, parameters, step } = await givenModel("exportHtml", model, options, ["title"]);
  textOption("title of exportHtml", options.title, "the page's heading");
  await expectStart(record);
  const alone = { ...record, parameters, step, average: undefined, best: undefined, training: undefined };
  const facts = factsOf(alone, options.title ?? TITLE);
  const file = writeCheckpoint(alone);
  if (file.length > MOST_BYTES) {
    throw new LimitError({
      subject: "model of exportHtml",
      given: `${(file.length / 2 ** 20).toFixed(0)} MiB of parameters`,
      expected: `at most ${MOST_BYTES / 2 ** 20} MiB, which browsers open as one page`,
      remedy: "Export a smaller network.",
    });
  }
  const { pieces } = await onDemand(import("./sampler-page.js"));
  return [
    pieces.beforeTitle,
    escaped(facts.title),
    pieces.beforeFacts,
    JSON.stringify(facts).replaceAll("<", "\\u003c"), // or a name might end the element
    pieces.beforeModel,
    base64(file),
    pieces.end,
  ].join("");
}

/** A page draws what samples start from itself: noise, or data that are made by a seed. */
async function expectStart(record: ModelRecord): Promise<void> {
  const { start, path } = record;
  try {
    // Paths without noise refuse to tell its deviation.
    await (start ? startingFrom(record).then((starting) => starting.expected("sample")) : path.priorDeviation);
  } catch (cause) {
    const facts = {
      subject: "model of exportHtml",
      given: start
        ? `one that starts from "${start.name}" data, which are in no file`
        : "one whose path leads from no noise, but to letters",
      expected: "a model that starts from noise, or from data that are made by a seed",
      remedy: "Sample it by the library.",
    };
    throw new UnsupportedError(facts, { cause });
  }
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
