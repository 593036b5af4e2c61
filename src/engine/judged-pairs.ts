/** Pairs of starts and data that models are judged on: made once on the host, and the same at each look. Imported on demand. */
import { expectDrawable } from "../data/drawable.ts";
import type { DataSource } from "../data/source.ts";
import { withStart, withStartRows } from "../data/started.ts";
import { ConfigError } from "../errors.ts";
import type { Coupling } from "../flow/couplings/coupling.ts";
import type { Loss } from "../flow/losses/loss.ts";
import type { PathScheduler } from "../flow/paths/path.ts";
import { type DType, type Shape, sizeOf } from "../graph/node.ts";
import { partOption } from "../graph/options.ts";
import type { Network } from "../nn/network.ts";
import { gather } from "../ops/rows.ts";
import { reshape } from "../ops/shape.ts";
import { nextTask } from "../turns.ts";
import type { EvaluateLossesOptions } from "./api.ts";
import { states } from "./evaluate-losses.ts";
import { drawing, type PairedRows, pairRows, type Rows, type RowsOf } from "./pair-rows.ts";
import { couplingOption, expectCostsFit, expectRows, expectScore } from "./pairing.ts";
import { fromNoise, type Starting } from "./start.ts";
import { expectDimension } from "./trainer-settings.ts";

export { drawing };

/** What is paired. */
interface Judged extends Required<Pick<RowsOf, "data" | "batchSize" | "seed" | "use">> {
  readonly batches: number;
  /** Rows that are paired at once, at most. */
  readonly together: number;
  /** Undefined: row by row. */
  readonly coupling: Coupling | undefined;
  rowsAt(batch: number): { readonly own: Rows; readonly from: Rows };
  /** Asked between groups. Throws when they are no longer wanted. */
  stillWanted(): void;
}

/** Batches of pairs, each taken by its number. */
export async function judgedPairs(judged: Judged): Promise<DataSource> {
  const { data, batches, batchSize, together, coupling, rowsAt, stillWanted } = judged;
  const { dimension, conditions = {}, standardization } = data;
  const values = new Map<string, { all: Float32Array | Uint32Array; shape: Shape; dtype: DType }>();
  const rows = batches * batchSize;
  const declare = (name: string, shape: Shape, isLabel = false) => {
    const length = rows * sizeOf(shape);
    const all = isLabel ? new Uint32Array(length) : new Float32Array(length);
    values.set(name, { all, shape, dtype: isLabel ? "u32" : "f32" });
  };
  declare("points", [dimension]);
  declare("start", [dimension]);
  for (const [name, { shape, classes }] of Object.entries(conditions))
    declare(` ${name}`, shape, classes !== undefined);
  const groups = Math.ceil(batchSize / together);
  for (let batch = 0; batch < batches; batch++) {
    const drawn = rowsAt(batch);
    for (let group = 0; group < groups; group++) {
      await nextTask();
      stillWanted();
      const from = group * together;
      const count = Math.min(together, batchSize - from);
      const [own, begun] = [drawn.own, drawn.from].map((one) => someOf(one, batchSize, from, count)) as [Rows, Rows];
      const both = { ...judged, own, from: begun, count, step: batch * groups + group };
      const paired = await pairRows(both, coupling, stillWanted);
      for (const [name, { all, shape }] of values) {
        all.set(ofPairs(paired, name), (batch * batchSize + from) * sizeOf(shape));
      }
    }
  }
  return {
    ...{ name: "pairs", options: {}, dimension, conditions },
    ...(standardization ? { standardization } : {}),
    state: new Map([...values].map(([name, { all }]) => [`data.pairs.${name}`, all])),
    draw({ state }) {
      const { name, shape, dtype } = states.batch;
      const batch = state(name, shape, dtype);
      const drawn = new Map(
        [...values].map(([name, { shape, dtype }]) => {
          const all = state(`data.pairs.${name}`, [batches, batchSize * sizeOf(shape)], dtype);
          return [name, reshape(gather(all, batch), [batchSize, ...shape])] as const;
        }),
      );
      const take = (name: string) => drawn.get(name) as NonNullable<ReturnType<typeof drawn.get>>;
      return {
        points: take("points"),
        start: take("start"),
        conditions: new Map(Object.keys(conditions).map((name) => [name, take(` ${name}`)])),
      };
    },
  };
}

/** These rows of as many as there are in all. */
function someOf({ points, conditions }: Rows, all: number, from: number, count: number): Rows {
  const some = (values: Float64Array) =>
    values.subarray((from * values.length) / all, ((from + count) * values.length) / all);
  return { points: some(points), conditions: new Map([...conditions].map(([name, one]) => [name, some(one)])) };
}

function ofPairs({ points, start, conditions }: PairedRows, name: string): Float32Array | Uint32Array {
  if (name === "points") return points;
  return name === "start" ? start : (conditions.get(name.slice(1)) as Float32Array | Uint32Array);
}

/** What {@link judgedData} is for, checked. */
interface Evaluated extends Pick<EvaluateLossesOptions, "start" | "coupling"> {
  readonly network: Network;
  readonly path: PathScheduler;
  readonly loss: Loss;
  readonly starting: Starting | undefined;
  /** In the model's units. */
  readonly data: DataSource;
  readonly batchSize: number;
  readonly batches: number;
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * The data beside starts of the model, paired as in its training or as it is said: what losses of a model are taken on.
 *
 * @throws {@link ConfigError} when start or coupling are none, do not fit, or are needed and not at hand.
 */
export async function judgedData(evaluated: Evaluated): Promise<DataSource> {
  const { network, path, loss, starting, data, batchSize, batches, seed, signal } = evaluated;
  const subject = "of evaluateLosses";
  const facts: Partial<Starting["facts"]> = starting?.facts ?? {};
  if (evaluated.start !== undefined) {
    if (!facts.start) fromNoise(subject);
    partOption(`start ${subject}`, evaluated.start, "draw", "arrayData(points)");
    expectDimension("start", evaluated.start, network);
    expectDrawable(`start ${subject}`, evaluated.start);
  }
  const start = facts.start && (evaluated.start ?? starting?.expected("evaluateLosses"));
  const coupling = evaluated.coupling === undefined ? atHand(facts.coupling as Coupling) : evaluated.coupling;
  const pairs = couplingOption(coupling, subject);
  if (pairs) expectScore(loss, path, `pairs of the coupling "${pairs.name}"`, subject);
  if (pairs?.starts) return withStartRows(expectRows(data, pairs, subject), pairs.starts);
  if (!pairs) return start ? withStart(data, start) : data;
  expectCostsFit(pairs, batchSize);
  const draw = drawing({ data, start, batchSize, seed, use: "evaluation" });
  return judgedPairs({
    ...{ data, batchSize, batches, seed, use: "evaluation", together: batchSize, coupling: pairs },
    rowsAt(batch) {
      const { data: own, start: from } = draw(batch);
      return { own: own as Rows, from: from as Rows };
    },
    stillWanted: () => signal?.throwIfAborted(),
  });
}

/** The coupling that the model was trained by. */
function atHand(known: Coupling | undefined): Coupling | undefined {
  if (!known || known.pair || known.starts || known.name === "independent") return known;
  throw new ConfigError({
    subject: "coupling of evaluateLosses",
    given: "nothing",
    expected: `what the model was trained by: coupling "${known.options["name"] ?? known.name}", which is not at hand`,
    remedy: "Give coupling as the trainer had it; or independent(), for losses of pairs that were drawn apart.",
  });
}
