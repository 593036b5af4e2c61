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

/** By the name of a case: which options it has, all of them, and the network that they make. */
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
      const { in: before, mid, out } = depth as { in: number; mid: number; out: number };
      if (before !== out) refuse("depth of transformer", depth, "as many blocks before as after");
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
  const wrong = given.find((name) => !options.includes(name)) ?? options.find((name) => !given.includes(name));
  if (wrong !== undefined)
    refuse(`config of ${kind}`, given.join(", "), `exactly ${options.join(", ")}; not so: ${wrong}`);
  return make(config as Config, buffer);
}

function told(count: number, conditions: () => ConditionDeclarations): { conditions?: ConditionDeclarations } {
  return count ? { conditions: conditions() } : {};
}

function refuse(subject: string, given: unknown, expected: string): never {
  throw new ConfigError({ subject, given, expected, remedy: "Give the configuration as the case's writer does." });
}
