/** A model from a visitor's file, to stand on the left as it is. */
import { ConfigError, load, type Model, type Runtime } from "divflow";
import type { Sampler } from "../messages.ts";
import { learnedFlow } from "../train/flow.ts";
import type { Entrant } from "../train/models.ts";

export interface ModelFile {
  /** The file's. */
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of weights alone, such as PyTorch's, which do not tell. */
  readonly activation?: string | undefined;
}

/** Weights alone came without their activation: the visitor has to say it. */
export class ActivationWanted extends Error {}

const MOST_LETTERS = 32;

/**
 * @throws {@link ActivationWanted}.
 * @throws {@link DivflowError} or Error: a sentence for the visitor, of files that hold no model which this page can show.
 */
export async function opened(runtime: Runtime, file: ModelFile, sampler: Sampler): Promise<Entrant> {
  const model = await loaded(runtime, file);
  try {
    await expectShowable(model, file.name, sampler);
  } catch (error) {
    model.dispose();
    throw error;
  }
  return { trainer: undefined, model, ...{ weight: 0, before: 0, changes: 0, seconds: 0 }, pinned: titleOf(file.name) };
}

async function loaded(runtime: Runtime, { name, bytes, activation }: ModelFile): Promise<Model> {
  try {
    return await load(runtime, bytes, { source: name, ...(activation === undefined ? {} : { activation }) });
  } catch (error) {
    const wantsIt = error instanceof ConfigError && error.facts.subject.startsWith("activation of the network");
    if (wantsIt && activation === undefined) throw new ActivationWanted(error.message, { cause: error });
    throw error;
  }
}

/** It is asked, of one point, all that it will be asked: what cannot be shown is refused before anything is given up for it. */
async function expectShowable(model: Model, name: string, sampler: Sampler): Promise<void> {
  const others = Object.keys(model.conditions).filter((told) => told !== "label");
  if (model.dimension !== 2 || others.length > 0) {
    const what = model.dimension === 2 ? `is told ${others.join(", ")}` : `draws ${model.dimension} numbers a sample`;
    throw new Error(
      `${name} holds a model that ${what}; this page shows models of points in the plane, told classes or nothing.`,
    );
  }
  const flow = learnedFlow(model, { sampler, steps: 1 });
  try {
    await flow.frames(Float32Array.of(0.1, 0.2), [0, 1], flow.labels?.(1));
    await flow.logDensity(Float32Array.of(0.1, 0.2), 1);
  } catch (cause) {
    throw new Error(`${name} holds a model that this page cannot show. ${(cause as Error).message}`, { cause });
  }
}

/** The file's name without its ending. */
function titleOf(name: string): string {
  const plain = name.replace(/\.[a-z0-9]{1,12}$/i, "").trim() || "opened";
  return plain.length > MOST_LETTERS ? `${plain.slice(0, MOST_LETTERS - 1)}…` : plain;
}
