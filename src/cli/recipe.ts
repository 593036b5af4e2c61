/**
 * What to train, from a command's options: data, network, path, loss and optimizer, the same for `train` and
 * `compare`. Presets fill in what is not given.
 */
import { hutchPlusPlus } from "../flows.ts";
import {
  activationKinds,
  adam,
  adamW,
  ConfigError,
  cfm,
  cosineDecay,
  type DataSource,
  fdm,
  type Loss,
  mlp,
  type Network,
  type Optimizer,
  type PathScheduler,
  type Points,
  paper2d,
  product,
  type Rate,
  staircase,
  warmUp,
} from "../index.ts";
import { nonNegativeNumber, oneOf, positiveInteger, positiveNumber, seed } from "./arguments.ts";
import { type DataArguments, dataOf, isPointsFile, openData, readingOptions, readPointsFile } from "./data.ts";
import { checkInput, readBytes } from "./files.ts";
import { type Flow, type FlowArguments, flowArguments, readFlow, scored } from "./flow.ts";
import { conditionsIn } from "./model-facts.ts";
import { networkArgument, networkOf, readNetwork } from "./network.ts";
import {
  checkOverfitting,
  type Overfitting,
  type OverfittingArguments,
  overfittingArguments,
  readOverfitting,
} from "./overfitting.ts";
import { checkStart, startOf } from "./starts.ts";
import { declarationsOf, readDrop } from "./told.ts";

/**
 * Sizes of a run. `quick`: what a laptop does in a minute; of the sizes and rates tried, the likelihoods were best.
 * `paper`: the paper's own 2-D setting.
 */
export const presets = {
  quick: { width: 64, layers: 4, batch: 512, steps: 8000, rate: 0.01 },
  paper: { width: 512, layers: 4, batch: 512, steps: 30_000, rate: 0.001 },
} as const;

/** Weights of the divergence loss where none is given: what did best at the quick size; the published program's. */
const divergenceWeight = { fdm: 0.3, "paper-2d": 0.1 } as const;

const divergenceForms = ["slice", "residual"] as const;

function ofPresets(size: keyof (typeof presets)["quick"]): string {
  return Object.entries(presets)
    .map(([name, sizes]) => `preset ${name}: ${sizes[size]}`)
    .join(", ");
}

/** The options that a recipe reads, for `defineCommand`. */
export const recipeArguments = {
  preset: { type: "string", description: `sizes: ${Object.keys(presets).join(" or ")}`, default: "quick" },
  steps: { type: "string", description: `training steps in all (${ofPresets("steps")})` },
  width: { type: "string", description: `width of each hidden layer (${ofPresets("width")})` },
  layers: { type: "string", description: "hidden layers (4)" },
  network: networkArgument,
  batch: { type: "string", description: "samples per training step (512)" },
  drop: {
    type: "string",
    description:
      "probability that a row is not told what --label and --condition name, so that samples need not be (0.1)",
  },
  activation: { type: "string", description: "of the hidden layers (silu); with --from, of a file of weights alone" },
  divergence: {
    type: "string",
    description: `weight of the divergence loss (fdm: ${divergenceWeight.fdm}, paper-2d: ${divergenceWeight["paper-2d"]})`,
  },
  form: { type: "string", description: `of the divergence loss: ${divergenceForms.join(" or ")}`, default: "slice" },
  velocity: {
    type: "string",
    description: "the velocity within that loss: detached (held constant) or whole (differentiated too)",
    default: "detached",
  },
  estimator: {
    type: "string",
    description: "of the divergence: hutchinson, exact or hutch++, which takes three products and the form residual",
    default: "hutchinson",
  },
  probe: { type: "string", description: "rademacher or gaussian", default: "rademacher" },
  ...flowArguments,
  rate: { type: "string", description: `learning rate after a warm-up of 10 steps (${ofPresets("rate")})` },
  seed: { type: "string", description: "of parameters, data, noise, probes and rows held out", default: "0" },
  ...overfittingArguments,
} as const;

type RecipeArguments = DataArguments &
  OverfittingArguments &
  FlowArguments & {
    readonly [name in Exclude<keyof typeof recipeArguments, keyof typeof overfittingArguments>]?: string | undefined;
  } & {
    /** Of `train` alone, as the next. */
    readonly start?: string | undefined;
    readonly "with-score"?: boolean | undefined;
  };

export interface Recipe {
  readonly steps: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly data: DataSource;
  /** The rows of a file, in data units; undefined where the data are a named set, which has no end. */
  readonly points: Points | undefined;
  readonly network: Network;
  readonly path: PathScheduler;
  /** Undefined where starts and data are drawn independently. */
  readonly coupling: Flow["coupling"];
  /** What is carried into the data, and how the command line names it; undefined: noise. */
  readonly start: { readonly given: string; readonly source: DataSource } | undefined;
  /** What speaks against the options, a sentence each. */
  readonly notes: readonly string[];
  readonly overfitting: Overfitting;
  /** For a run of so many steps, by which its learning rate falls. */
  optimizer(steps: number): Optimizer;
  /** By name: cfm, fdm, or paper-2d, the published program's objective. */
  loss(name: LossName): Loss;
}

export const lossNames = ["fdm", "cfm", "paper-2d"] as const;
export type LossName = (typeof lossNames)[number];

/** As the library takes them. */
export const MOST = { steps: 2 ** 32 - 1, width: 32_768, layers: 1024, batch: 2 ** 20 };

/**
 * All options are checked here, before the data are read.
 *
 * @param beforeData - what else is checked before that, once the options are known to be right.
 */
export async function readRecipe(
  dataName: string,
  args: RecipeArguments,
  beforeData = async () => {},
): Promise<Recipe> {
  const preset = presets[oneOf("--preset", args.preset ?? "quick", ["quick", "paper"] as const)];
  const steps = args.steps === undefined ? preset.steps : positiveInteger("--steps", args.steps, MOST.steps);
  const width = args.width === undefined ? preset.width : positiveInteger("--width", args.width, MOST.width);
  const layers = args.layers === undefined ? preset.layers : positiveInteger("--layers", args.layers, MOST.layers);
  const batchSize = args.batch === undefined ? preset.batch : positiveInteger("--batch", args.batch, MOST.batch);
  const divergence = args.divergence === undefined ? undefined : nonNegativeNumber("--divergence", args.divergence);
  const form = oneOf("--form", args.form ?? "slice", divergenceForms);
  const velocity = oneOf("--velocity", args.velocity ?? "detached", ["detached", "whole"] as const);
  const estimator = oneOf("--estimator", args.estimator ?? "hutchinson", ["hutchinson", "exact", "hutch++"] as const);
  const probe = oneOf("--probe", args.probe ?? "rademacher", ["rademacher", "gaussian"] as const);
  const { path, coupling, weigh, notes } = readFlow(args);
  const learningRate = args.rate === undefined ? preset.rate : positiveNumber("--rate", args.rate);
  const seedValue = seed("--seed", args.seed ?? "0");
  const activation =
    args.activation === undefined ? undefined : oneOf("--activation", args.activation, activationKinds);
  const chosen = args.network === undefined ? undefined : await readNetwork(args.network);
  const drop = readDrop(args.drop);
  if (drop !== undefined && args.label === undefined && args.condition === undefined) refuseDrop(args.drop);
  const checked = checkOverfitting(args, isPointsFile(dataName));
  const { weightDecay } = checked;
  const optimizer = (length: number) => {
    const rate = product(learningRate, warmUp({ steps: 10 }), decay(args.preset, length));
    return weightDecay === undefined ? adam({ learningRate: rate }) : adamW({ learningRate: rate, weightDecay });
  };
  const plainLoss = (name: LossName) => {
    switch (name) {
      case "cfm":
        return cfm();
      case "paper-2d":
        return paper2d({ divergence: divergence ?? divergenceWeight[name] });
      case "fdm": {
        // Not detached, the divergence loss also draws the velocity away from its own optimum, see docs/loss.md.
        const detachVelocity = velocity === "detached";
        const options = { divergence: divergence ?? divergenceWeight[name], probe, detachVelocity };
        return estimator === "hutch++" ? hutchPlusPlus(options) : fdm({ ...options, form, estimator });
      }
    }
  };
  const hasScore = args["with-score"] === true;
  const loss = (name: LossName) => (hasScore ? scored.loss(weigh(plainLoss(name))) : weigh(plainLoss(name)));
  // What these refuse is found before the data are read.
  optimizer(steps);
  lossNames.forEach(loss);
  refuseSizes(args);
  readingOptions(args);
  const named = isPointsFile(dataName) ? undefined : await openData(dataName, args);
  if (args.from !== undefined) await checkInput(args.from);
  if (args.start !== undefined) await checkStart(args.start);
  await beforeData();
  // Labels mean what they mean to the model that is begun at.
  const begun = args.from === undefined ? {} : { conditions: conditionsIn(await readBytes(args.from)) };
  const points = named ? undefined : await readPointsFile(dataName, args, begun);
  const data = named ?? dataOf(points as Points);
  const hidden = Array.from({ length: layers }, () => width);
  const { dimension, columns, conditions } = data;
  const overfitting = await readOverfitting(args, checked, { points, dimension, columns, conditions }, activation);
  const told = declarationsOf(conditions, drop ?? DROP);
  const usual = () =>
    mlp({ dimension, hidden, activation: activation ?? "silu", ...(told ? { conditions: told } : {}) });
  const made = overfitting.network ?? (chosen ? await networkOf(chosen, data, told) : usual());
  const network = hasScore && !overfitting.network ? scored.network(made) : made;
  const start = args.start === undefined ? undefined : { given: args.start, source: await startOf(args.start, data) };
  return {
    steps,
    batchSize,
    seed: seedValue,
    data,
    points,
    network,
    overfitting,
    path,
    coupling,
    start,
    notes,
    optimizer,
    loss,
  };
}

/** How often a row is not told what is known of it, where --drop does not say. */
const DROP = 0.1;

function refuseDrop(given: unknown): never {
  throw new ConfigError({
    subject: "--drop",
    given: `${given} without --label or --condition`,
    expected: "no such option there",
    remedy: "Leave it out: the model is told nothing beside points and times.",
  });
}

/** A model that is begun at has a network already; --network has its own sizes. */
function refuseSizes(args: RecipeArguments): void {
  const beside = args.from === undefined ? "--network" : "--from";
  if (args.from === undefined && args.network === undefined) return;
  const options = args.from === undefined ? (["width", "layers", "activation"] as const) : ofNewNetworks;
  const given = options.find((name) => args[name] !== undefined);
  if (given === undefined) return;
  throw new ConfigError({
    subject: `--${given}`,
    given: `beside ${beside}`,
    expected: "no such option there",
    remedy:
      beside === "--from"
        ? "Leave it out: the network is that of the model begun at."
        : "Leave it out, or write it among the network's options.",
  });
}

const ofNewNetworks = ["network", "width", "layers", "drop"] as const;

/** The paper multiplies the rate by 0.999 each 10 steps; a short run does better falling to 1 % along a cosine. */
function decay(preset: string | undefined, steps: number): Rate {
  return preset === "paper" ? staircase({ factor: 0.999, every: 10 }) : cosineDecay({ steps, final: 0.01 });
}

/** The trainer's options that a recipe fixes, all but the loss. */
export function trainerOptions(recipe: Recipe) {
  const { network, path, data, batchSize, seed, steps, overfitting, start, coupling } = recipe;
  return {
    ...{ network, path, optimizer: recipe.optimizer(steps), data, batchSize, seed, ...overfitting.options },
    ...(start ? { start: start.source } : {}),
    ...(coupling ? { coupling } : {}),
  };
}

/** What config.json says: enough to run it again. */
export function describeRecipe(recipe: Recipe, data: string, lossName: LossName, backend: string) {
  const named = ({ name, options }: { name: string; options: unknown }) => ({ name, options });
  return {
    data,
    network: { kind: recipe.network.kind, config: recipe.network.config },
    path: named(recipe.path),
    ...(recipe.start ? { start: recipe.start.given } : {}),
    ...(recipe.coupling ? { coupling: named(recipe.coupling) } : {}),
    loss: named(recipe.loss(lossName)),
    optimizer: named(recipe.optimizer(recipe.steps)),
    batchSize: recipe.batchSize,
    steps: recipe.steps,
    seed: recipe.seed,
    ...recipe.overfitting.description,
    backend,
  };
}
