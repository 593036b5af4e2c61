/**
 * Pairs of starts and data that are made on the host, a few batches ahead of the steps that take them. A batch is a function of
 * seed and step alone: the rows are those that a device would draw, and what a coupling draws follows from a seed of that step.
 */
import {
  type DataSource,
  type DataStream,
  type Drawn,
  drawnFrom,
  type HostBatch,
  type StreamStart,
} from "../data/source.ts";
import { type Start, startIn } from "../data/started.ts";
import { streamSource } from "../data/stream-source.ts";
import { DataError } from "../errors.ts";
import { type Batches, type Coupling, OWN, type PairedCondition } from "../flow/couplings/coupling.ts";
import { evaluate } from "../graph/evaluate.ts";
import type { Update } from "../graph/graph.ts";
import { type Node, sizeOf } from "../graph/node.ts";
import type { HostTensor } from "../graph/op.ts";
import { isRecord } from "../graph/options.ts";
import { random } from "../ops/random.ts";
import { state } from "../ops/sources.ts";
import { Streams, streamOf } from "../ops/streams.ts";
import { randomBits, seedOf } from "../ops/threefry.ts";
import { trainState } from "../train/step.ts";
import { nextTask } from "../turns.ts";
import { Feed } from "./feed.ts";

/** Batches that are made ahead: while one submission of steps takes some, the next ones are made. */
const AHEAD = 16;

export interface PairsOptions {
  /** What is trained on. */
  readonly data: DataSource;
  /** Undefined: noise. */
  readonly start: DataSource | undefined;
  readonly coupling: Coupling;
  readonly batchSize: number;
  readonly seed: number;
}

/** What starts are called among the conditions of a ring: no condition of a user's is called so. */
const START = " start";

/** The data as batches of pairs that the host writes. */
export function pairedData(options: PairsOptions): DataSource {
  const { data } = options;
  const { dimension, shape = [dimension], conditions } = data;
  const ring = streamSource(
    { shape, conditions: { ...conditions, [START]: { shape: [dimension] } } },
    { isOwn: true, from: () => [] },
  );
  const names = ring.stream as DataStream;
  const start = names.condition(START);
  const pairs = { start, ahead: AHEAD, from: ({ step }: StreamStart) => pairsFrom(step, options, names, start) };
  const { state: _contents, ...facts } = data;
  return {
    ...facts,
    draw(context) {
      const { points, conditions } = drawnFrom(ring, context);
      const told = new Map(conditions);
      told.delete(START);
      return { points, conditions: told, start: conditions.get(START) as Node };
    },
    updates: ring.updates as () => Update[],
    stream: { ...names, pairs },
  };
}

/** Batches one after the other, in turns with whatever else this thread has to do. */
async function* pairsFrom(
  first: number,
  { data, start, coupling, batchSize, seed }: PairsOptions,
  names: DataStream,
  startName: string,
): AsyncGenerator<HostBatch> {
  const drawRows = drawing({ data, start, batchSize, seed });
  const data1 = data.stream && new Feed({ ...data, stream: data.stream }, batchSize, first);
  const data0 =
    start?.stream &&
    new Feed({ ...start, standardization: data.standardization, stream: start.stream } as never, batchSize, first);
  try {
    for (let step = first; ; step++) {
      await nextTask();
      const rows = drawRows(step);
      const own = data1 ? await nextRows(data1, data) : rows.data;
      const from = data0 && start ? await nextRows(data0, start) : rows.start;
      const batches = batchesOf({ data, start, own: own as Rows, from: from as Rows, batchSize, step, seed });
      const pairs = coupling.pair
        ? checked(await coupling.pair(shown(batches, coupling)), coupling, batchSize)
        : undefined;
      yield new Map([
        [names.points, taken(batches.data, pairs?.columns, data.dimension, false)],
        [startName, taken(batches.start, pairs?.rows, data.dimension, false)],
        ...Object.entries(batches.conditions).map(
          ([name, { width, isLabel, data }]) =>
            [names.condition(name), taken(data, pairs?.columns, width, isLabel)] as const,
        ),
      ]);
    }
  } finally {
    data1?.close();
    data0?.close();
  }
}

/** Points [B, D] and conditions of a batch, in model units. */
interface Rows {
  readonly points: Float64Array;
  readonly conditions: ReadonlyMap<string, Float64Array>;
}

/** What is drawn of a step, but for what comes as a stream. */
function drawing({ data, start, batchSize, seed }: Omit<PairsOptions, "coupling">) {
  const streams = new Streams();
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
  const own = data.stream ? undefined : drawnBy(data.state, (context) => drawnFrom(data, context));
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

async function nextRows(feed: Feed, { stream, conditions = {} }: DataSource): Promise<Rows> {
  const { states } = await feed.fill(1, undefined);
  feed.used(1);
  const names = stream as DataStream;
  return {
    points: Float64Array.from(states.get(names.points) as Float32Array),
    conditions: new Map(
      Object.keys(conditions).map((name) => [
        name,
        Float64Array.from(states.get(names.condition(name)) as Float32Array),
      ]),
    ),
  };
}

interface Both extends Omit<PairsOptions, "coupling"> {
  readonly own: Rows;
  readonly from: Rows;
  readonly step: number;
}

function batchesOf({ data, own, from, batchSize, step, seed }: Both): Batches {
  const [high, low] = randomBits(seedOf(seed), streamOf("couplings"), step, 2) as unknown as [number, number];
  const conditions = Object.entries(data.conditions ?? {}).map(
    ([name, { shape, classes }]): [string, PairedCondition] => {
      const told = own.conditions.get(name) as Float64Array;
      const first = from.conditions.get(name);
      const start = first?.length === told.length ? first : told;
      return [name, { width: sizeOf(shape), isLabel: classes !== undefined, start, data: told }];
    },
  );
  return {
    ...{ count: batchSize, dimension: data.dimension, start: from.points, data: own.points },
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
