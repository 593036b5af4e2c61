/** Networks of case files, whose options have the names that their writer gave them. */
import { ConfigError } from "../errors.ts";
import { choiceOption } from "../graph/options.ts";
import { cnn } from "./cnn.ts";
import { classes, numbers } from "./conditions.ts";
import type { ConditionDeclarations, Network } from "./network.ts";
import { sit } from "./sit.ts";
import { transformer } from "./transformer.ts";
import { unet1d } from "./unet1d.ts";
import { unet2d } from "./unet2d.ts";

/** Fixed tensors of the file by name, row-major. */
export type CaseBuffers = (name: string) => readonly number[];

type Config = Readonly<Record<string, never>>;

/** Options that a case may leave out: it has no labels and no conditions then, and its frequencies are given anyway. */
const optional: readonly string[] = ["classes", "conditionSteps", "conditionDivisor", "fourierScale"];

/** By the name of a case: which options it has, and the network that they make. */
const known: Readonly<
  Record<string, { readonly options: readonly string[]; make(config: Config, buffer: CaseBuffers): Network }>
> = {
  unet1d: {
    options: [
      ...["channels", "subBlocks", "edgeChannels", "dimension", "length", "frequencies", "frequencyRange"],
      ...["embeddingHidden", "conditionSteps", "conditionDivisor", "groupNormEpsilon"],
    ],
    make: ({ length, dimension, subBlocks, groupNormEpsilon, conditionSteps, ...same }) =>
      unet1d({
        ...{ ...same, sample: [length, dimension], blocks: subBlocks, epsilon: groupNormEpsilon },
        ...told(conditionSteps, () => ({ condition: numbers([conditionSteps, dimension]) })),
      }),
  },
  cnn: {
    options: [
      ...["channels", "K", "length", "dilations", "stacks", "classes", "pseudocount", "timeOffset", "timeFactor"],
      ...["fourierScale", "layerNormEpsilon"],
    ],
    make: ({ length, K, classes: count, layerNormEpsilon, fourierScale: _drawnWith, ...same }, buffer) =>
      cnn({
        ...{ ...same, sample: [length, K], epsilon: layerNormEpsilon, frequencies: buffer("time.frequencies") },
        ...told(count, () => ({ label: classes(count) })),
      }),
  },
  transformer: {
    options: [
      ...["dimension", "heads", "mlpRatio", "depth", "channels", "height", "width", "distanceHidden"],
      ...["layerNormEpsilon", "timeScale", "timeBase"],
    ],
    make: ({ height, width, channels, dimension, depth, distanceHidden, layerNormEpsilon, ...same }) => {
      const { in: before, mid, out, ...more } = Object(depth) as Readonly<Record<string, number>>;
      if (before !== out || Object.keys(more).length > 0) {
        refuse("depth of transformer", depth, "blocks in, mid and out, as many before as after");
      }
      const field = numbers([height, width, channels]);
      return transformer({
        ...{ ...same, sample: [height, width, channels], width: dimension, epsilon: layerNormEpsilon },
        ...{ outerBlocks: before, middleBlocks: mid, conditionHidden: distanceHidden, logarithms: ["distance"] },
        conditions: { previous: field, earlier: field, distance: numbers() },
      });
    },
  },
  unet2d: {
    options: [
      ...["channels", "multipliers", "residualBlocks", "attentionAt", "heads", "groups", "classes", "scaleShift"],
      ...["inputChannels", "height", "width", "normEpsilon"],
    ],
    make: ({ height, width, inputChannels, classes: count, normEpsilon, ...same }) =>
      unet2d({
        ...{ ...same, sample: [height, width, inputChannels], epsilon: normEpsilon },
        ...told(count, () => ({ label: classes(count) })),
      }),
  },
  sit: {
    options: [
      ...["dimension", "heads", "depth", "mlpRatio", "patch", "channels", "height", "width", "classes"],
      ...["frequencies", "normEpsilon"],
    ],
    make: ({ height, width, channels, dimension, classes: count, normEpsilon, ...same }, buffer) =>
      sit({
        ...{ ...same, sample: [height, width, channels], width: dimension, epsilon: normEpsilon },
        ...{ positions: buffer("pos_embed"), conditions: { label: classes(count, { drop: 0.1 }) } },
      }),
  },
};

/** Kinds of networks that cases have, beside the MLP. */
export const caseNetworkKinds: readonly string[] = Object.keys(known);

/**
 * The network of a case. Its parameters are the case's, by name and shape; its conditions are named as the case's inputs.
 *
 * @param buffer - the case's fixed tensors, such as "time.frequencies": only those asked for that follow from no option.
 * @throws {@link ConfigError} when an option is missing, unknown or outside its range.
 */
export function networkOfCase(kind: unknown, config: unknown, buffer: CaseBuffers): Network {
  const { options, make } = known[choiceOption("network of a case", kind, caseNetworkKinds) as string];
  const given = Object.keys(Object(config) as object);
  const needed = options.filter((name) => !optional.includes(name));
  const wrong = given.find((name) => !options.includes(name)) ?? needed.find((name) => !given.includes(name));
  if (wrong !== undefined) refuse(`config.${wrong}`, given.join(", "), `exactly ${options.join(", ")}`);
  return make(config as Config, buffer);
}

function told(count: number, conditions: () => ConditionDeclarations): { conditions?: ConditionDeclarations } {
  return count ? { conditions: conditions() } : {};
}

function refuse(subject: string, given: unknown, expected: string): never {
  throw new ConfigError({ subject, given, expected, remedy: "Give the configuration as the case's writer does." });
}
