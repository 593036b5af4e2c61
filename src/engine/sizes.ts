/**
 * What a plan would need, reckoned before anything is planned or allocated: absurd sizes get a sentence, not an engine's
 * abort. Memory is reckoned for what is large, and a hundredth for the rest; a plan's own bytes are checked when there is one.
 */
import { LimitError } from "../errors.ts";
import { MOST_APART } from "../flow/divergence.ts";
import type { Solver } from "../flow/solvers/solver.ts";
import { mlp, mlpStructure } from "../nn/mlp.ts";
import { type Network, parameterLayout } from "../nn/network.ts";
import type { PlanLimits } from "../schedule/program.ts";
import { type NetworkSizes, sizesPerRow } from "./network-sizes.ts";

/** Layers of all evaluations, tangents and reverse mode in a program: of so many, planning takes half a minute. */
const MOST_LAYERS_PLANNED = 12_288;

/** What reverse mode costs beside an evaluation, in planning. */
const REVERSE = 6;

export interface Work {
  readonly network: Network;
  /** Of the network. */
  readonly perRow: NetworkSizes;
  /** Points at once. */
  readonly rows: number;
  /** Directions that derivatives are taken along; those of a trace are `exact`. */
  readonly tangents: number;
  /** Evaluations of the network in a program. */
  readonly evaluations: number;
  /** Vectors of all parameters that must be there; of a training step, where there is reverse mode, more than one. */
  readonly vectors: number;
  readonly reverse: boolean;
  /** Numbers of the data, where they lie on the device. */
  readonly data: number;
}

/** A number among the options that `work` follows from. */
export interface Size {
  readonly subject: string;
  readonly value: number;
  /** What it mostly is: the number furthest from that is named. */
  readonly usual: number;
  workOf(value: number): Work;
}

/** What little things take beside the large ones: a share of these. */
const LITTLE = 0.01;

/** Bytes as sentences show them: 65.9 GB. */
const inUnits = (bytes: number) => `${bytes < 1e12 ? (bytes / 1e9).toPrecision(3) : Math.round(bytes / 1e9)} GB`;

/** Bytes on the device, about. */
function bytesOf({ network, perRow, rows, tangents, vectors, reverse, data }: Work): number {
  const { total } = parameterLayout(network);
  const { hidden, kept, largest } = perRow;
  // Reverse mode keeps two results of each hidden layer, of tangents one (`rematerialize`), and the gradient; else layers
  // follow each other.
  const held = !reverse ? kept : tangents > 0 ? Math.min(hidden + 2 * largest, 2 * hidden) : 2 * hidden;
  const temporary = (reverse ? total : 0) + rows * (1 + tangents) * held;
  return Math.ceil(4 * (1 + LITTLE) * (vectors * total + data + temporary));
}

function layersOf({ perRow, tangents, evaluations, reverse }: Work): number {
  return perRow.layers * (1 + tangents) * evaluations * (reverse ? REVERSE : 1);
}

const mostOf = ({ maxBufferBytes, maxBindingBytes }: PlanLimits) => Math.min(maxBufferBytes, maxBindingBytes);
const vectorOf = ({ network, data }: Work) => 4 * Math.max(parameterLayout(network).total, data);

function fits(work: Work, limits: PlanLimits): boolean {
  const { maxTotalBytes = Number.POSITIVE_INFINITY } = limits;
  return vectorOf(work) <= mostOf(limits) && bytesOf(work) <= maxTotalBytes && layersOf(work) <= MOST_LAYERS_PLANNED;
}

/** What the work is for, and what else than a smaller network makes it fit. */
export interface Purpose {
  /** As sentences begin with it. */
  readonly part: string;
  /** What else to take, where the work changed in this way fits. */
  readonly way?: readonly [way: string, change: Partial<Work>];
}

/** What is too much, of the work in words. */
function needOf(work: Work, limits: PlanLimits): string {
  const layers = layersOf(work);
  if (layers > MOST_LAYERS_PLANNED) {
    return `${layers} layers in all evaluations and derivatives, of ${MOST_LAYERS_PLANNED} at most`;
  }
  const vector = vectorOf(work);
  if (vector > mostOf(limits)) return `a vector of ${inUnits(vector)}, of ${inUnits(mostOf(limits))} at most`;
  return `${inUnits(bytesOf(work))}, where the device has ${inUnits(limits.maxTotalBytes ?? 0)}`;
}

/** @throws {@link LimitError} when the work does not fit: it names one of the sizes, and the largest that would. */
export function expectFits(sizes: readonly Size[], limits: PlanLimits, { part, way }: Purpose): void {
  const [any] = sizes as [Size];
  const work = any.workOf(any.value);
  if (fits(work, limits)) return;
  const byExcess = [...sizes].sort((a, b) => b.value / b.usual - a.value / a.usual);
  const size = byExcess.find(({ workOf }) => fits(workOf(1), limits)) ?? (byExcess[0] as Size);
  let [largest, tooLarge] = [0, size.value];
  while (tooLarge - largest > 1) {
    const middle = Math.floor((largest + tooLarge) / 2);
    if (fits(size.workOf(middle), limits)) largest = middle;
    else tooLarge = middle;
  }
  const other = way && fits({ ...work, ...way[1] }, limits) ? `${way[0]}, or ` : "";
  throw new LimitError({
    subject: size.subject,
    given: size.value,
    expected: largest > 0 ? `at most ${largest} beside the other sizes` : "other sizes beside it: none would do",
    remedy: `${part} needs ${needOf(work, limits)}. Take ${other}a smaller network.`,
  });
}

/** The sizes of an MLP; none of other networks. */
export function sizesOfNetwork(network: Network, workOf: (other: Pick<Work, "network" | "perRow">) => Work): Size[] {
  const made = mlpStructure(network);
  if (!made) return [];
  const { dimension } = network;
  const { hidden, activation } = made;
  const of = (widths: readonly number[]) => {
    const other = mlp({ dimension, hidden: widths, activation });
    return workOf({ network: other, perRow: sizesPerRow(other) });
  };
  return [
    {
      subject: "layers in hidden of mlp",
      value: hidden.length,
      usual: 4,
      workOf: (layers) => of(hidden.slice(0, layers)),
    },
    {
      subject: "widths in hidden of mlp",
      value: Math.max(...hidden),
      usual: 512,
      workOf: (most) => of(hidden.map((width) => Math.min(width, most))),
    },
  ];
}

/** Tangents that a program has, where the exact divergence of this dimension is taken. */
export const tangentsInBlocks = (dimension: number) =>
  dimension <= MOST_APART ? dimension : Math.ceil(Math.sqrt(dimension));

/** Evaluations of the field in a step of a solver: those of its program, whose first may be another one's. */
export const evaluationsOf = ({ name }: Pick<Solver, "name">): number =>
  ({ euler: 1, midpoint: 2, heun: 2, rk4: 4, "adaptive-heun": 3, "euler-maruyama": 1, "stochastic-heun": 2 })[name] ??
  7;

type Divergence = { readonly estimator?: string; readonly probes?: number };

/** What a solve of a model needs. @throws {@link LimitError} when that is too much. */
export function expectSolveFits(
  {
    network,
    solver,
    rows,
    divergence,
  }: { network: Network; solver: Pick<Solver, "name">; rows: number; divergence: Divergence | undefined },
  limits: PlanLimits,
  purpose = purposeOf(divergence),
): void {
  const { dimension } = network;
  const exact = divergence?.estimator === "exact";
  const tangents = exact ? tangentsInBlocks(dimension) : (divergence?.probes ?? 0);
  const evaluations = evaluationsOf(solver);
  const perRow = sizesPerRow(network);
  const work: Work = { network, perRow, rows, tangents, evaluations, vectors: 1, reverse: false, data: 0 };
  const ofTangents = exact
    ? {
        subject: 'dimension of the model beside divergence "exact"',
        value: dimension,
        workOf: (many: number) => ({ ...work, tangents: tangentsInBlocks(many) }),
      }
    : { subject: "probes", value: tangents, workOf: (many: number) => ({ ...work, tangents: many }) };
  expectFits(
    [{ ...ofTangents, usual: 8 }, ...sizesOfNetwork(network, (other) => ({ ...work, ...other }))],
    limits,
    purpose,
  );
}

function purposeOf(divergence: Divergence | undefined): Purpose {
  if (!divergence) return { part: "A sample" };
  const exact = divergence.estimator === "exact";
  return {
    part: `A log-density with ${exact ? 'divergence "exact"' : "these probes"}`,
    way: [exact ? 'divergence: "hutchinson" with few probes' : "fewer probes", { tangents: 1 }],
  };
}

/** What a program needs that takes a loss of batches. @throws {@link LimitError} when that is too much. */
export function expectLossFits(
  options: {
    readonly network: Network;
    readonly loss: { readonly options: Readonly<Record<string, unknown>>; readonly name: string };
    readonly batchSize: number;
    readonly vectors: number;
    readonly reverse: boolean;
    readonly data: number;
  },
  limits: PlanLimits,
): void {
  const { network, loss, batchSize, vectors, reverse, data } = options;
  const { estimator, probes, divergence, fraction = 1 } = loss.options;
  const exact = estimator === "exact";
  const taken = divergence === 0 || loss.name === "cfm" ? 0 : exact ? network.dimension : Number(probes ?? 1) || 0;
  const share = Number(fraction) || 1;
  const rowsOf = (batch: number, tangents: number) => (batch * (1 + share * tangents)) / (1 + tangents);
  const work: Work = {
    ...{ network, perRow: sizesPerRow(network), tangents: taken, evaluations: 1, vectors, reverse, data },
    rows: rowsOf(batchSize, taken),
  };
  const withTangents = (tangents: number): Work => ({ ...work, tangents, rows: rowsOf(batchSize, tangents) });
  expectFits(
    [
      {
        subject: "batchSize",
        value: batchSize,
        usual: 512,
        workOf: (batch) => ({ ...work, rows: rowsOf(batch, taken) }),
      },
      exact
        ? { subject: 'dimension beside estimator "exact" of the loss', value: taken, usual: 8, workOf: withTangents }
        : { subject: "probes of the loss", value: taken, usual: 8, workOf: withTangents },
      ...sizesOfNetwork(network, (other) => ({ ...work, ...other })),
    ],
    limits,
    {
      part: reverse ? "The training step" : "The loss",
      way:
        layersOf(work) > MOST_LAYERS_PLANNED
          ? [exact ? 'estimator: "hutchinson"' : "fewer probes", { tangents: Math.min(1, taken) }]
          : ["a smaller batch", { rows: 1 }],
    },
  );
}
