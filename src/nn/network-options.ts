/** What the options of networks have in common: their checks, and what every network is finished with. */
import { ConfigError } from "../errors.ts";
import { type Shape, sizeOf } from "../graph/node.ts";
import { integerOption, optionsObject } from "../graph/options.ts";
import { conditionsOption } from "./conditions.ts";
import type { ConditionDeclarations, Network } from "./network.ts";

/** A layer of more inputs or outputs than this is a misprint: 4 GiB of weights. */
export const LARGEST_WIDTH = 32_768;

/** Blocks in a row, at most. */
export const MOST_BLOCKS = 1024;

/** Places along an axis of a sample, at most. */
const LONGEST = 1 << 20;

/** Halvings, at most: a network of as many has one place left of a million. */
const MOST_LEVELS = 20;

/** What the axes of a sample are. */
const axesOf = { sequences: ["length", "channels"], pictures: ["height", "width", "channels"] };

/** What the options of every network over places say. */
interface Common {
  readonly sample: readonly number[];
  readonly conditions?: ConditionDeclarations;
}

/**
 * What networks over places have in common of their options, checked and copied; and that each option is known.
 *
 * @param names - of all options.
 */
export function checked<Options extends Common>(
  network: string,
  over: keyof typeof axesOf,
  given: Options,
  names: readonly (keyof Options & string)[],
): { readonly sample: Options["sample"]; readonly conditions: ConditionDeclarations | undefined } {
  optionsObject(`options of ${network}`, given, names);
  return {
    sample: sampleOption(network, given.sample, axesOf[over]),
    conditions: toldOption(network, given.conditions),
  };
}

function sampleOption(network: string, given: unknown, axes: readonly string[]): readonly number[] {
  const subject = `sample of ${network}`;
  if (!Array.isArray(given) || given.length !== axes.length) {
    throw new ConfigError({
      subject,
      given: given ?? String(given),
      expected: `[${axes.join(", ")}]`,
      remedy: "Give the shape of a sample, channels last.",
    });
  }
  return Object.freeze(
    given.map((size, axis) => {
      const isLast = axis === axes.length - 1;
      return integerOption(`${axes[axis]} in ${subject}`, size, 1, isLast ? LARGEST_WIDTH : LONGEST);
    }),
  );
}

/** A list of integers, one for each of something, checked and copied. */
export function integersOption(
  subject: string,
  given: unknown,
  { least = 1, most = LARGEST_WIDTH, count = [1, MOST_LEVELS] as readonly [number, number] } = {},
): readonly number[] {
  const [fewest, longest] = count;
  if (!Array.isArray(given) || given.length < fewest || given.length > longest) {
    throw new ConfigError({
      subject,
      given: given ?? String(given),
      expected: `a list of ${fewest === longest ? fewest : `${fewest} to ${longest}`} integers`,
      remedy: "Give a number for each.",
    });
  }
  return Object.freeze(given.map((value, i) => integerOption(`${subject}, number ${i}`, value, least, most)));
}

/** Passes when `divisor` divides `value`. */
export function expectDivides(subject: string, value: number, divisor: number, why: string): void {
  if (value % divisor === 0) return;
  throw new ConfigError({
    subject,
    given: value,
    expected: `a multiple of ${divisor}: ${why}`,
    remedy: "Choose sizes that divide.",
  });
}

/** Conditions of a network's options; undefined where there are none. */
export function toldOption(network: string, given: unknown): ConditionDeclarations | undefined {
  if (given === undefined) return undefined;
  const conditions = conditionsOption(`conditions of ${network}`, given);
  return Object.keys(conditions).length > 0 ? conditions : undefined;
}

/**
 * The network of what it is made of.
 *
 * @param config - complete; its conditions are told apart.
 * @throws {@link ConfigError} when two parameters have one name, as where a condition is called like a part of the network.
 */
export function madeNetwork(
  made: Pick<Network, "kind" | "config" | "parameters" | "apply"> & {
    readonly sample: Shape;
    readonly conditions: ConditionDeclarations | undefined;
    readonly constants?: Network["constants"];
  },
): Network {
  const { conditions, config, constants, ...rest } = made;
  const seen = new Set<string>();
  for (const { name } of made.parameters) {
    if (seen.has(name)) {
      throw new ConfigError({
        subject: `parameter "${name}" of ${made.kind}`,
        given: "two of this name",
        expected: "a name for each",
        remedy: `Give the condition "${name.split(".")[0]}" another name: a part of the network has it.`,
      });
    }
    seen.add(name);
  }
  return {
    ...rest,
    dimension: sizeOf(made.sample),
    config: { ...config, ...(conditions ? { conditions } : {}) },
    ...(conditions ? { conditions } : {}),
    ...(constants ? { constants } : {}),
  };
}
