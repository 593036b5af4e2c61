/**
 * What a flow is made of beside data and network, from a command's options: the path, what the network gives there, pairs of start
 * and data, and how losses weigh times.
 */
import {
  brownianBridge,
  type Coupling,
  entropicTransport,
  type FieldKind,
  optimalTransport,
  scoreMatching,
  veSDE,
  type WeightedOptions,
  weighted,
  withOutput,
  withScore,
} from "../flows.ts";
import { type Loss, type Network, type PathScheduler, pathFrom, pathNames } from "../index.ts";
import { isF32, nonNegativeNumber, number, oneOf, positiveInteger, positiveNumber } from "./arguments.ts";

type PathOptions = Readonly<Record<string, number>>;

const paths: Readonly<Record<string, (options: PathOptions) => PathScheduler>> = {
  ...Object.fromEntries(pathNames.map((name) => [name, (options: PathOptions) => pathFrom({ name, options })])),
  "ve-sde": veSDE,
  "brownian-bridge": brownianBridge,
};

/** Options of paths, as the library calls them, and whose they are. */
const ofPaths = {
  sigma: { name: "sigma", of: ["brownian-bridge"], description: "standard deviation of its noise after unit time (1)" },
  "sigma-min": { name: "sigmaMin", of: ["cond-ot", "ve", "ve-sde"], description: "least noise, in data units" },
  "sigma-max": { name: "sigmaMax", of: ["ve", "ve-sde"], description: "noise at t = 0, in data units" },
  "beta-min": { name: "betaMin", of: ["vp"], description: "least rate of noise (0.1)" },
  "beta-max": { name: "betaMax", of: ["vp"], description: "largest rate of noise (20)" },
  degree: { name: "degree", of: ["polynomial"], description: "its degree (3)" },
} as const;
type PathOption = keyof typeof ofPaths;
const pathOptionNames = Object.keys(ofPaths) as PathOption[];

const outputs = ["velocity", "noise", "data", "score"] as const satisfies readonly FieldKind[];
const weightings = ["velocity", "noise", "data", "min-snr"] as const satisfies readonly WeightedOptions["by"][];
const couplings = ["independent", "optimal", "entropic"] as const;

/** The options that {@link readFlow} reads, for `defineCommand`. */
export const flowArguments = {
  path: { type: "string", description: `one of ${Object.keys(paths).join(", ")}`, default: "cond-ot" },
  ...(Object.fromEntries(
    pathOptionNames.map((option) => {
      const { of, description } = ofPaths[option];
      return [option, { type: "string", description: `of path ${of.join(", ")}: ${description}` }];
    }),
  ) as Record<PathOption, { readonly type: "string"; readonly description: string }>),
  output: { type: "string", description: `what the network gives: ${outputs.join(", ")}`, default: "velocity" },
  "data-deviation": {
    type: "string",
    description: "scale what the network sees and gives by data of this deviation, such as 1 (for ve and ve-sde)",
  },
  weighting: {
    type: "string",
    description: `whose squared error is the loss: ${weightings.join(", ")}; a weight by time`,
    default: "velocity",
  },
  times: { type: "string", description: "of a batch: uniform, or even (1 / batch apart)", default: "uniform" },
  every: {
    type: "string",
    description: "take the divergence loss on each n-th step alone, with n times its weight (1)",
  },
  coupling: {
    type: "string",
    description: "pairs of start and data in a batch: independent, optimal or entropic (transport)",
    default: "independent",
  },
  regularisation: { type: "string", description: "of entropic pairs: what squared distance is near (0.05)" },
  replacement: { type: "string", description: "whether pairs are drawn with replacement: yes or no (entropic: yes)" },
  "condition-cost": {
    type: "string",
    description: "weight of what models are told in the cost of pairs, such as 100 (0: pairs do not see it)",
  },
} as const;

export type FlowArguments = { readonly [name in keyof typeof flowArguments]?: string | undefined };

/** Which options of paths this path does not have, for who refuses them. */
export const pathsOf: readonly (readonly [option: string, of: readonly string[]])[] = pathOptionNames.map((option) => [
  option,
  ofPaths[option].of,
]);

export interface Flow {
  readonly path: PathScheduler;
  /** Undefined where start and data are independent. */
  readonly coupling: Coupling | undefined;
  /** The loss with its weights. */
  weigh(loss: Loss): Loss;
  /** What speaks against the options, a sentence each. */
  readonly notes: readonly string[];
}

/** These options, all checked, and by the library whether they go together. */
export function readFlow(args: FlowArguments): Flow {
  const path = readPath(args);
  const output = oneOf("--output", args.output ?? "velocity", outputs);
  const deviation =
    args["data-deviation"] === undefined ? undefined : positiveNumber("--data-deviation", args["data-deviation"]);
  const by = oneOf("--weighting", args.weighting ?? "velocity", weightings);
  const times = oneOf("--times", args.times ?? "uniform", ["uniform", "even"] as const);
  const every = args.every === undefined ? 1 : positiveInteger("--every", args.every, 10_000);
  const isPlain = output === "velocity" && deviation === undefined;
  return {
    path: isPlain ? path : withOutput(output, path, deviation === undefined ? {} : { dataDeviation: deviation }),
    coupling: readCoupling(args),
    weigh(loss) {
      const ownEvery = loss.name === "cfm" ? 1 : every; // it has no divergence to take now and then
      if (by === "velocity" && times === "uniform" && ownEvery === 1) return loss;
      return weighted(loss, { by, times, every: ownEvery });
    },
    notes: by === "velocity" ? unweighted(output) : [],
  };
}

function readPath(args: FlowArguments): PathScheduler {
  const name = oneOf("--path", args.path ?? "cond-ot", Object.keys(paths));
  const options = pathOptionNames.flatMap((option) => {
    const text = args[option];
    return text === undefined ? [] : [[ofPaths[option].name, number(`--${option}`, text, "a number", isF32)]];
  });
  return (paths[name] as (typeof paths)[string])(Object.fromEntries(options));
}

function readCoupling(args: FlowArguments): Coupling | undefined {
  const kind = oneOf("--coupling", args.coupling ?? "independent", couplings);
  const { regularisation: near, replacement: again, "condition-cost": cost } = args;
  const regularisation = near === undefined ? {} : { regularisation: positiveNumber("--regularisation", near) };
  const options = {
    ...(again === undefined ? {} : { replacement: oneOf("--replacement", again, ["yes", "no"] as const) === "yes" }),
    ...(cost === undefined ? {} : { conditionCost: nonNegativeNumber("--condition-cost", cost) }),
  };
  switch (kind) {
    case "independent":
      return undefined;
    case "optimal":
      return optimalTransport(options);
    case "entropic":
      return entropicTransport({ ...options, ...regularisation });
  }
}

/** Of an output whose error the velocity's is, times a factor without bound: see docs/paths.md. */
function unweighted(output: FieldKind): string[] {
  if (output === "velocity") return [];
  const own = { noise: "noise", score: "noise", data: "min-snr" }[output];
  return [
    `--output ${output}: the velocity's squared error is the ${output}'s times a factor that is very large at an end of time, ` +
      `so few times decide what is learned. --weighting ${own} weighs it back; docs/paths.md has the factors.`,
  ];
}

/** Of `train` alone: models with a score beside their velocity. */
export const scoreArgument = {
  type: "boolean",
  description: "train a second network of the score beside the velocity's: solvers with noise then work on bridges",
} as const;

/** The network and its loss, with a score of the same kind of network. */
export const scored = {
  network: (network: Network): Network => (network.score ? network : withScore(network, network)),
  loss: (loss: Loss): Loss => scoreMatching(loss),
};
