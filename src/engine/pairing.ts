/** Starts and couplings of a trainer, checked: for trainers that have some, on demand. */
import { type ArrayData, isArrayData, rowsOf } from "../data/array.ts";
import { expectDrawable } from "../data/drawable.ts";
import type { DataSource } from "../data/source.ts";
import { withStart, withStartRows } from "../data/started.ts";
import { ConfigError, LimitError } from "../errors.ts";
import { type Batches, type Coupling, OWN, PAIRED_WITH } from "../flow/couplings/coupling.ts";
import { couplingFrom } from "../flow/couplings/registry.ts";
import type { Loss } from "../flow/losses/loss.ts";
import type { PathScheduler } from "../flow/paths/path.ts";
import { evaluate } from "../graph/evaluate.ts";
import { sameShape } from "../graph/node.ts";
import { isRecord, type NamedOptions, partOption } from "../graph/options.ts";
import type { Network } from "../nn/network.ts";
import { constant } from "../ops/sources.ts";
import type { Pairs } from "../transport/draw-pairs.ts";
import type { TrainerOptions } from "./api.ts";
import { pairedData } from "./pairs.ts";
import { Starting } from "./start.ts";
import { expectDimension, type ValidationSettings } from "./trainer-settings.ts";
import type { Pulls } from "./worker/pulls.ts";

/** Options with what is made of them so far. */
interface Given extends Pick<TrainerOptions, "start" | "coupling" | "validation"> {
  readonly network: Network;
  readonly path: PathScheduler;
  readonly loss: Loss;
  /** What is trained on. */
  readonly trainingData: DataSource;
  readonly batchSize: number;
  readonly seed: number;
  /** As it was given, with the rows that are held out. */
  readonly data: DataSource;
  /** Numbers of the data's rows. */
  readonly rows: ValidationSettings["rows"];
}

/** What a trainer has in place of data beside noise. */
export interface Paired {
  /** Undefined: noise. */
  readonly start: DataSource | undefined;
  /** Of models. */
  readonly starting: Starting | undefined;
  /** Undefined: rows are drawn independently. */
  readonly coupling: Coupling | undefined;
  /** The data with their starts. */
  readonly trainingData: DataSource;
  /** Of pairs that are given: the starts of the rows held out, in data units. */
  readonly heldOut: Float32Array | Float64Array | undefined;
  readonly warnings: readonly string[];
}

export type Pairing = typeof pairing;

/**
 * @throws {@link ConfigError} when start or coupling are none, or do not fit network, path or loss.
 * @throws {@link UnsupportedError} when rows are held out beside a start that is a stream.
 */
export function pairing(given: Given): Paired {
  const { network, path, loss, trainingData, batchSize, start } = given;
  if (start !== undefined) {
    partOption("start of createTrainer", start, "draw", "arrayData(points) or eightGaussians()");
    expectDimension("start", start, network);
  }
  const coupling = couplingOption(given.coupling);
  if (start) expectConditions(start, trainingData);
  if (coupling) expectCostsFit(coupling, batchSize);
  if (start || coupling) {
    expectBeginning(path, start !== undefined);
    expectScore(loss, path, start ? "starts of another kind than noise" : `pairs of the coupling "${coupling?.name}"`);
  }
  const { data, rows, validation } = given;
  if (coupling?.starts) expectRows(data, coupling);
  if (validation !== undefined) expectPairable(given, coupling);
  return {
    ...{ start, coupling, warnings: warningsOf(trainingData, coupling, batchSize) },
    starting:
      start || coupling
        ? new Starting({ network, standardization: trainingData.standardization, start, coupling }, start)
        : undefined,
    trainingData: startedData(given, coupling),
    heldOut: rows && coupling?.starts && rowsOf(coupling.starts, rows.heldOut, data.dimension),
  };
}

/** Rows held out have starts too, which do not come as they are made. */
function expectPairable({ start, rows }: Given, coupling: Coupling | undefined): void {
  if (start) expectDrawable("start of createTrainer beside validation", start);
  if (!coupling?.starts || rows) return;
  throw new ConfigError({
    subject: "validation of createTrainer beside the coupling pairedWith",
    given: "a source of its own",
    expected: "rows of the data: those of another source have no starts",
    remedy: "Hold some pairs out: validation: 0.1.",
  });
}

/** The data with a start for each point: drawn beside it, made with it on the host, or of its row. */
function startedData(
  { trainingData: data, start, batchSize, seed, rows }: Given,
  coupling: Coupling | undefined,
): DataSource {
  const { starts } = coupling ?? {};
  if (starts) {
    return withStartRows(data as ArrayData, rows ? rowsOf(starts, rows.training, data.dimension) : starts);
  }
  if (coupling || start?.stream) {
    return pairedData({ data, start, coupling: coupling ?? { name: "independent", options: {} }, batchSize, seed });
  }
  return start ? withStart(data, start) : data;
}

export function expectRows(
  data: DataSource,
  { options: { count, dimension } }: Coupling,
  of = "of createTrainer",
): ArrayData {
  if (isArrayData(data) && data.count === count && data.dimension === dimension) return data;
  throw new ConfigError({
    subject: `data ${of} beside the coupling pairedWith`,
    given: isArrayData(data) ? `${data.count} points of dimension ${data.dimension}` : `"${data.name}" data`,
    expected: `an arrayData of ${count} points of dimension ${dimension}, one for each start`,
    remedy: "Give data and starts row by row: arrayData(ends) beside pairedWith(starts).",
  });
}

/** A coupling, or what a page has sent of it. */
type GivenCoupling = Coupling & { readonly stream?: unknown; readonly pulls?: Pick<Pulls, "from"> };

/** The coupling, undefined where rows are independent. */
export function couplingOption(given: unknown, of = "of createTrainer"): Coupling | undefined {
  if (given === undefined) return undefined;
  const { name, options, pair, starts, stream, pulls } = (isRecord(given) ? given : {}) as Partial<GivenCoupling>;
  if (typeof name === "string" && isRecord(options)) {
    if (name === "independent") return undefined;
    if (typeof pair === "function") return given as Coupling;
    if (name === PAIRED_WITH && starts) return { name, options, seesConditions: true, starts };
    if (pulls && typeof stream === "number") return asked({ name, options }, pulls, stream);
    if (name !== OWN) return couplingFrom({ name, options });
  }
  throw new ConfigError({
    subject: `coupling ${of}`,
    given: typeof given === "function" ? "a function" : given,
    expected: "a coupling, such as optimalTransport()",
    remedy: "Take one of divflow/flows; defineCoupling makes one of a function.",
  });
}

/** The coupling whose function is on the page. */
function asked({ name, options }: NamedOptions, pulls: Pick<Pulls, "from">, stream: number): Coupling {
  const pairs = pulls.from(stream, { step: 0, rows: 0 })[Symbol.asyncIterator]();
  const pair = async (batches: Batches) => (await pairs.next(batches as never)).value as Pairs;
  return { name, options, seesConditions: options["seesConditions"] === true, pair };
}

/** alpha(0), and sigma(0) from 1, may be so far off: vp leaves 0.7 % of the data at t = 0. */
const NEARLY = 0.01;

/** What is sampled from are the starts: at t = 0 the path is there, and they are not mixed with the data. */
function expectBeginning(path: PathScheduler, isOther: boolean): void {
  const { alpha, sigma } = path.at(constant(0, [1, 1]));
  const [a, s] = evaluate([alpha, sigma]).map(({ data }) => data[0] as number) as [number, number];
  if (Math.abs(a) <= NEARLY && Math.abs(s - 1) <= NEARLY) return;
  throw new ConfigError({
    subject: `path beside a ${isOther ? "start" : "coupling"} of createTrainer`,
    given: `${path.name}, with alpha ${a} and sigma ${s} at t = 0`,
    expected: "a path that begins at its start: alpha 0 and sigma 1 there",
    remedy: "Take condOT(), whose pairs go in straight lines.",
  });
}

/** Paths from Gaussian noise, drawn by itself, have a score given the data alone. */
export function expectScore(
  { name, readsScore }: Loss,
  path: PathScheduler,
  beside: string,
  of = "of createTrainer",
): void {
  if (!readsScore || path.between) return;
  throw new ConfigError({
    subject: `loss ${of}`,
    given: `${name} on path ${path.name}, beside ${beside}`,
    expected: "a path that has a score: between given ends this one is a point, without a density",
    remedy:
      "Take brownianBridge({ sigma }) of divflow/flows, or cfm(); noise as the start and independent pairs have one on cond-ot, " +
      "linear-vp, vp, cosine, polynomial and ve.",
  });
}

/** What starts are told is compared with what data are told: by name, number for number. */
function expectConditions(start: DataSource, { conditions = {} }: DataSource): void {
  for (const [name, { shape, classes }] of Object.entries(start.conditions ?? {})) {
    const own = conditions[name];
    const isLabel = classes !== undefined;
    if (own && sameShape(own.shape, shape) && (own.classes !== undefined) === isLabel) continue;
    const kind = isLabel ? "labels" : `numbers of shape [${shape}]`;
    throw new ConfigError({
      subject: "conditions of start",
      given: own ? `${name}, ${kind}` : name,
      expected: own
        ? `what the data have there: ${own.classes === undefined ? `numbers of shape [${own.shape}]` : "labels"}`
        : `those of the data: ${Object.keys(conditions).join(", ") || "none"}`,
      remedy: "Leave them out of the start, or give data and network the same.",
    });
  }
}

/** Rows that a plan is found of at most: one matrix of costs is then 512 MiB. */
const MOST_PAIRED = 8192;

/** Rows from which on steps wait for their plan. */
const MANY_PAIRED = 1024;

/** Whether a plan of each batch is searched for. */
const isSearched = ({ name }: Coupling) => name !== OWN && name !== PAIRED_WITH;

export function expectCostsFit(coupling: Coupling, batchSize: number): void {
  if (!isSearched(coupling) || batchSize <= MOST_PAIRED) return;
  throw new LimitError({
    subject: `batchSize beside coupling ${coupling.name}`,
    given: `${batchSize}, whose costs are ${Math.ceil((8 * batchSize ** 2) / 2 ** 20)} MiB`,
    expected: `at most ${MOST_PAIRED}: a batch has batchSize^2 costs of 8 bytes, and pairs take time by its third power`,
    remedy: "Take a batch of some hundreds; or pair rows by a function of your own, in parts (defineCoupling).",
  });
}

function warningsOf(data: DataSource, coupling: Coupling | undefined, batchSize: number): string[] {
  if (!coupling) return [];
  const names = Object.keys(data.conditions ?? {});
  const own = coupling.name === OWN ? `"${coupling.options["name"]}"` : coupling.name;
  const isSlow = isSearched(coupling) && batchSize >= MANY_PAIRED;
  const isBlind = !coupling.seesConditions && names.length > 0;
  const isVoid = isSearched(coupling) && coupling.seesConditions && names.length === 0;
  return [
    ...(isBlind ? [blind(own, names)] : []),
    ...(isVoid ? [`conditionCost of coupling ${own} has nothing to weigh: the data have no conditions.`] : []),
    ...(isSlow
      ? [
          `Coupling ${own} pairs ${batchSize} rows a step: time grows by the third power of rows, to seconds from some 2,000 on, for ` +
            "which steps wait. Pairs of some hundreds of rows do the same.",
        ]
      : []),
  ];
}

function blind(own: string, names: readonly string[]): string {
  return (
    `Coupling ${own} does not see the conditions (${names.join(", ")}): starts are then paired with classes by where they are, ` +
    "and a model that is told one starts from all of them, so that its samples are biased. Give conditionCost a weight, such as 100, or " +
    "take independent()."
  );
}
