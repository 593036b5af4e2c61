/**
 * What to train, from a command's options: data, network, path, loss and optimizer, the same for `train` and
 * `compare`. Presets fill in what is not given.
 */
import {
  activationKinds,
  adam,
  arrayData,
  cfm,
  cosineDecay,
  type DataSource,
  dataFrom,
  dataNames,
  fdm,
  type Loss,
  mlp,
  type Network,
  type Optimizer,
  type PathScheduler,
  type Points,
  paper2d,
  pathFrom,
  pathNames,
  product,
  type Rate,
  readPoints,
  staircase,
  warmUp,
} from "../index.ts";
import { nonNegativeNumber, oneOf, positiveInteger, positiveNumber, seed } from "./arguments.ts";
import { readBytes } from "./files.ts";

/** Sizes of a run. `paper`: the paper's own 2-D setting (SPEC: 4 x 512, batch 512, 30,000 steps). */
export const presets = {
  quick: { width: 128, layers: 4, batch: 512, steps: 3000 },
  paper: { width: 512, layers: 4, batch: 512, steps: 30_000 },
} as const;

/** The options that a recipe reads, for `defineCommand`. */
export const recipeArguments = {
  preset: { type: "string", description: `sizes: ${Object.keys(presets).join(" or ")}`, default: "quick" },
  steps: { type: "string", description: "training steps in all (preset quick: 3000)" },
  width: { type: "string", description: "width of each hidden layer (preset quick: 128)" },
  layers: { type: "string", description: "hidden layers (4)" },
  batch: { type: "string", description: "samples per training step (512)" },
  activation: { type: "string", description: "of the hidden layers", default: "silu" },
  divergence: { type: "string", description: "weight of the divergence loss (fdm)", default: "0.1" },
  estimator: { type: "string", description: "of the divergence: hutchinson or exact", default: "hutchinson" },
  probe: { type: "string", description: "rademacher or gaussian", default: "rademacher" },
  path: { type: "string", description: `one of ${pathNames.join(", ")}`, default: "cond-ot" },
  rate: { type: "string", description: "learning rate after a warm-up of 10 steps", default: "0.001" },
  seed: { type: "string", description: "of parameters, data, noise and probes", default: "0" },
} as const;

type RecipeArguments = { readonly [name in keyof typeof recipeArguments]?: string | undefined };

export interface Recipe {
  readonly steps: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly data: DataSource;
  readonly network: Network;
  readonly path: PathScheduler;
  readonly optimizer: Optimizer;
  /** By name: cfm, fdm, or paper-2d, the published program's objective. */
  loss(name: LossName): Loss;
}

export const lossNames = ["fdm", "cfm", "paper-2d"] as const;
export type LossName = (typeof lossNames)[number];

/** A data set by name, or the points of a .npy or .csv file, standardised. */
export async function openData(given: string): Promise<DataSource> {
  if (!isPointsFile(given)) return dataFrom({ name: oneOf("data", given, dataNames), options: {} });
  const { values, count, dimension } = await readPointsFile(given);
  return arrayData(values, [count, dimension], { standardize: true });
}

/** Whether a `data` argument means a file of points, by its name. */
export function isPointsFile(given: string): boolean {
  return /\.(npy|csv)$/i.test(given);
}

/** The points of a .npy or .csv file. */
export async function readPointsFile(file: string): Promise<Points> {
  return readPoints(await readBytes(file), file);
}

/** All options are checked here, before any work. */
export async function readRecipe(dataName: string, args: RecipeArguments): Promise<Recipe> {
  const preset = presets[oneOf("--preset", args.preset ?? "quick", ["quick", "paper"] as const)];
  const steps = args.steps === undefined ? preset.steps : positiveInteger("--steps", args.steps);
  const width = args.width === undefined ? preset.width : positiveInteger("--width", args.width);
  const layers = args.layers === undefined ? preset.layers : positiveInteger("--layers", args.layers);
  const batchSize = args.batch === undefined ? preset.batch : positiveInteger("--batch", args.batch);
  const divergence = nonNegativeNumber("--divergence", args.divergence ?? "0.1");
  const estimator = oneOf("--estimator", args.estimator ?? "hutchinson", ["hutchinson", "exact"] as const);
  const probe = oneOf("--probe", args.probe ?? "rademacher", ["rademacher", "gaussian"] as const);
  const path = pathFrom({ name: oneOf("--path", args.path ?? "cond-ot", pathNames), options: {} });
  const learningRate = positiveNumber("--rate", args.rate ?? "0.001");
  const seedValue = seed("--seed", args.seed ?? "0");
  const activation = oneOf("--activation", args.activation ?? "silu", activationKinds);
  const data = await openData(dataName);
  const hidden = Array.from({ length: layers }, () => width);
  return {
    steps,
    batchSize,
    seed: seedValue,
    data,
    network: mlp({ dimension: data.dimension, hidden, activation }),
    path,
    optimizer: adam({ learningRate: product(learningRate, warmUp({ steps: 10 }), decay(args.preset, steps)) }),
    loss: (name) => {
      if (name === "cfm") return cfm();
      return name === "fdm" ? fdm({ divergence, estimator, probe }) : paper2d({ divergence });
    },
  };
}

/** The paper multiplies the rate by 0.999 each 10 steps; a short run does better falling to 1 % along a cosine. */
function decay(preset: string | undefined, steps: number): Rate {
  return preset === "paper" ? staircase({ factor: 0.999, every: 10 }) : cosineDecay({ steps, final: 0.01 });
}
