/** Rows of a start and of data as the host has them: drawn by the graphs that devices draw with, and paired by a coupling. */
import { type DataSource, type Drawn, drawnFrom } from "../data/source.ts";
import { type Start, startIn } from "../data/started.ts";
import { DataError } from "../errors.ts";
import { type Batches, type Coupling, OWN, type PairedCondition } from "../flow/couplings/coupling.ts";
import { evaluate } from "../graph/evaluate.ts";
import { type Node, sizeOf } from "../graph/node.ts";
import type { HostTensor } from "../graph/op.ts";
import { isRecord } from "../graph/options.ts";
import { random } from "../ops/random.ts";
import { state } from "../ops/sources.ts";
import { type BatchUse, Streams, streamOf } from "../ops/streams.ts";
import { randomBits, seedOf } from "../ops/threefry.ts";
import { trainState } from "../train/step.ts";

/** Points [B, D] and conditions of a batch, in model units. */
export interface Rows {
  readonly points: Float64Array;
  readonly conditions: ReadonlyMap<string, Float64Array>;
}

/** What rows are drawn from. */
export interface RowsOf {
  readonly data: DataSource;
  /** Undefined: noise. */
  readonly start: DataSource | undefined;
  readonly batchSize: number;
  readonly seed: number;
  /** What batches are for; default "training". */
  readonly use?: BatchUse;
}

/**
 * What is drawn of a step, but for what comes as a stream: the rows that a device would draw.
 *
 * @param drawsData - left out: where the data are no stream.
 */
export function drawing({ data, start, batchSize, seed, use = "training" }: RowsOf, drawsData = !data.stream) {
  const streams = new Streams(use);
  const source = { seed: state(trainState.seed), counter: state(trainState.step) };
  const values = new Map<string, HostTensor>([
    [trainState.seed.name, { shape: [2], data: Float64Array.from(seedOf(seed)) }],
  ]);
  const drawnBy = (
    contents: Start["state"] | undefined,
    draw: (context: Parameters<Start["draw"]>[0]) => Drawn,
  ): Drawn =>
    draw({
      rows: batchSize,
      random: (kind, shape, { bound } = {}) =>
        random(kind, shape, { ...source, stream: streams.next("data"), ...(bound === undefined ? {} : { bound }) }),
      state(name, shape, dtype) {
        const own = contents?.get(name);
        if (own && !values.has(name)) values.set(name, { shape, data: Float64Array.from(own) });
        return state({ name, shape, dtype });
      },
    });
  const own = !drawsData ? undefined : drawnBy(data.state, (context) => drawnFrom(data, context));
  const from = start && !start.stream ? startIn(start, data.standardization) : undefined;
  const begun = from
    ? drawnBy(from.state, (context) => from.draw(context))
    : start
      ? undefined
      : {
          points: random("normal", [batchSize, data.dimension], { ...source, stream: streams.next("noise") }),
          conditions: new Map<string, Node>(),
        };
  const nodes = [own, begun].flatMap((drawn) => (drawn ? [drawn.points, ...drawn.conditions.values()] : []));
  return (step: number): { readonly data: Rows | undefined; readonly start: Rows | undefined } => {
    values.set(trainState.step.name, { shape: [1], data: Float64Array.of(step) });
    const found = new Map(evaluate(nodes, values).map(({ data }, i) => [nodes[i] as Node, data]));
    const rowsOf = (drawn: Drawn | undefined): Rows | undefined =>
      drawn && {
        points: found.get(drawn.points) as Float64Array,
        conditions: new Map([...drawn.conditions].map(([name, node]) => [name, found.get(node) as Float64Array])),
      };
    return { data: rowsOf(own), start: rowsOf(begun) };
  };
}

/** Two batches of as many rows, to be paired. */
interface Both extends Pick<RowsOf, "data" | "seed" | "use"> {
  readonly own: Rows;
  readonly from: Rows;
  readonly count: number;
  readonly step: number;
}

/** Points, the start of each and what is told of it, as states hold them. */
export interface PairedRows {
  readonly points: Float32Array;
  readonly start: Float32Array;
  readonly conditions: ReadonlyMap<string, Float32Array | Uint32Array>;
}

/**
 * The rows as pairs of this coupling; without one that pairs, row by row.
 *
 * @throws {@link DataError} where what it gives are no pairs.
 */
export async function pairRows(
  both: Both,
  coupling: Coupling | undefined,
  stillWanted: () => void,
): Promise<PairedRows> {
  const batches = batchesOf(both);
  const pairs = coupling?.pair
    ? checked(await coupling.pair(shown(batches, coupling), stillWanted), coupling, both.count)
    : undefined;
  const { dimension } = batches;
  return {
    points: taken(batches.data, pairs?.columns, dimension, false) as Float32Array,
    start: taken(batches.start, pairs?.rows, dimension, false) as Float32Array,
    conditions: new Map(
      Object.entries(batches.conditions).map(
        ([name, { width, isLabel, data }]) => [name, taken(data, pairs?.columns, width, isLabel)] as const,
      ),
    ),
  };
}

function batchesOf({ data, own, from, count, step, seed, use }: Both): Batches {
  const stream = streamOf("couplings", 0, use);
  const [high, low] = randomBits(seedOf(seed), stream, step, 2) as unknown as [number, number];
  const conditions = Object.entries(data.conditions ?? {}).map(
    ([name, { shape, classes }]): [string, PairedCondition] => {
      const told = own.conditions.get(name) as Float64Array;
      const first = from.conditions.get(name);
      const start = first?.length === told.length ? first : told;
      return [name, { width: sizeOf(shape), isLabel: classes !== undefined, start, data: told }];
    },
  );
  return {
    ...{ count, dimension: data.dimension, start: from.points, data: own.points },
    conditions: Object.fromEntries(conditions),
    step,
    seed: (high >>> 11) * 2 ** 32 + low,
  };
}

/** What a coupling is shown: to a user's own copies, which may be sorted or written to. */
function shown(batches: Batches, { name }: Coupling): Batches {
  if (name !== OWN) return batches;
  const conditions = Object.entries(batches.conditions).map(
    ([name, one]) => [name, { ...one, start: one.start.slice(), data: one.data.slice() }] as const,
  );
  return {
    ...batches,
    start: batches.start.slice(),
    data: batches.data.slice(),
    conditions: Object.fromEntries(conditions),
  };
}

/** What a coupling gave, once found to be pairs. */
function checked(
  given: unknown,
  { name, options }: Coupling,
  count: number,
): NonNullable<Awaited<ReturnType<NonNullable<Coupling["pair"]>>>> {
  const { rows, columns } = (isRecord(given) ? given : {}) as Record<string, ArrayLike<number> | undefined>;
  const subject = `pairs of coupling "${options["name"] ?? name}"`;
  if (rows?.length !== count || columns?.length !== count) {
    throw new DataError({
      subject,
      given:
        rows && columns
          ? `${rows.length} rows of the start and ${columns.length} of the data`
          : (given ?? String(given)),
      expected: `{ rows, columns }, ${count} numbers of rows each: as many as the batch has`,
      remedy: "Give a row of the start and one of the data for each pair.",
    });
  }
  const [from, to] = [rows, columns].map((list) => Uint32Array.from(list)) as [Uint32Array, Uint32Array];
  for (const [list, own] of [[rows, from] as const, [columns, to] as const]) {
    const wrong = own.findIndex((row, i) => row !== list[i] || row >= count);
    if (wrong < 0) continue;
    const facts = {
      given: list[wrong],
      expected: `an integer from 0 to ${count - 1}`,
      remedy: "Number rows of the batch from 0.",
    };
    throw new DataError({ subject: `${subject}, pair ${wrong}`, ...facts });
  }
  return { rows: from, columns: to };
}

/** These rows of values [count, width]; all of them in order where there are no pairs. */
function taken(values: Float64Array, rows: Uint32Array | undefined, width: number, isLabel: boolean) {
  const made = isLabel ? new Uint32Array(values.length) : new Float32Array(values.length);
  const count = values.length / width;
  for (let i = 0; i < count; i++) {
    const row = rows?.[i] ?? i;
    for (let k = 0; k < width; k++) made[i * width + k] = values[row * width + k] as number;
  }
  return made;
}
