/** Which network to train, and what a file of weights alone does not say of its own, from a command's options. */
import { readFile } from "node:fs/promises";
import { ConfigError, type DataSource, type Network, networkFromConfig, networkKinds } from "../index.ts";
import { oneOf } from "./arguments.ts";
import { unreadable } from "./files.ts";

export const networkArgument = {
  type: "string",
  description: `one of ${networkKinds.join(", ")}; or its options, as JSON or a .json file, with its "kind"`,
} as const;

export const configArgument = {
  type: "string",
  description: "of a file of weights alone: what names and shapes do not tell of its network, as JSON or a .json file",
} as const;

type Options = Readonly<Record<string, unknown>>;

/** A kind of network, and those of its options that are given. */
export interface NetworkChoice {
  readonly kind: string;
  readonly options: Options;
}

/** What --network says. */
export async function readNetwork(text: string): Promise<NetworkChoice> {
  if (!isOptions(text)) return { kind: oneOf("--network", text, networkKinds), options: {} };
  const { kind, ...options } = await readOptions("--network", text);
  return { kind: oneOf("kind in --network", String(kind), networkKinds), options };
}

/** As `load` takes it. */
export async function readConfig(text: string | undefined): Promise<{ readonly config?: Options }> {
  return text === undefined ? {} : { config: await readOptions("--config", text) };
}

/**
 * The network: samples are the data's, and it is told what they say, unless its options say otherwise.
 *
 * @param conditions - what the data say, as networks declare it.
 * @throws {@link ConfigError} when an option is wrong.
 */
export function networkOf(
  { kind, options }: NetworkChoice,
  { dimension, shape }: Pick<DataSource, "dimension"> & { readonly shape?: readonly number[] },
  conditions: Network["conditions"],
): Promise<Network> {
  const flat = shape === undefined || shape.length < 2;
  const sample = flat && ["mlp", "residualMlp"].includes(kind) ? { dimension } : { sample: shape ?? [dimension] };
  return networkFromConfig(kind, { ...sample, ...(conditions ? { conditions } : {}), ...options });
}

const isOptions = (text: string) => text.trimStart().startsWith("{") || text.endsWith(".json");

async function readOptions(option: string, text: string): Promise<Options> {
  const json = text.trimStart().startsWith("{") ? text : await textOf(text);
  const refuse = (given: string, cause?: unknown): never => {
    const expected = "a JSON object of options, or a file of one";
    const remedy = `Write ${option} '{"sample": [28, 28, 1]}', or put that into a .json file.`;
    throw new ConfigError({ subject: option, given, expected, remedy }, { cause });
  };
  let options: unknown;
  try {
    options = JSON.parse(json);
  } catch (cause) {
    return refuse(json.slice(0, 60), cause);
  }
  if (typeof options !== "object" || options === null || Array.isArray(options)) return refuse(json.slice(0, 60));
  return options as Options;
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw await unreadable(path, error);
  }
}
