/**
 * Pairs of starts and data that are made on the host, a few batches ahead of the steps that take them. A batch is a function of
 * seed and step alone: the rows are those that a device would draw, and what a coupling draws follows from a seed of that step.
 */
import { type DataSource, type DataStream, drawnFrom, type HostBatch, type StreamStart } from "../data/source.ts";
import { streamSource } from "../data/stream-source.ts";
import type { Coupling } from "../flow/couplings/coupling.ts";
import type { Update } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { nextTask } from "../turns.ts";
import { Feed } from "./feed.ts";
import { drawing, pairRows, type Rows, type RowsOf } from "./pair-rows.ts";

/** Batches that are made ahead: while one submission of steps takes some, the next ones are made. */
const AHEAD = 16;

export interface PairsOptions extends RowsOf {
  readonly coupling: Coupling;
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
  const from = ({ step }: StreamStart) => untilLeft((wanted) => pairsFrom(step, options, names, start, wanted));
  const pairs = { start, ahead: AHEAD, from };
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

/** Batches whose search ends when they are left: by itself a generator hears of that where it next yields. */
function untilLeft(made: (stillWanted: () => void) => AsyncGenerator<HostBatch>): AsyncIterable<HostBatch> {
  return {
    [Symbol.asyncIterator]() {
      let isLeft = false;
      const batches = made(() => {
        if (isLeft) throw new RangeError("pairs that nobody waits for");
      });
      return {
        next: () => batches.next(),
        return(value) {
          isLeft = true;
          return batches.return(value);
        },
      };
    },
  };
}

/** Batches one after the other, in turns with whatever else this thread has to do. */
async function* pairsFrom(
  first: number,
  { data, start, coupling, batchSize, seed }: PairsOptions,
  names: DataStream,
  startName: string,
  stillWanted: () => void,
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
      const both = { data, own: own as Rows, from: from as Rows, count: batchSize, step, seed };
      const { points, start: starts, conditions } = await pairRows(both, coupling, stillWanted);
      yield new Map([
        [names.points, points],
        [startName, starts],
        ...[...conditions].map(([name, values]) => [names.condition(name), values] as const),
      ]);
    }
  } finally {
    data1?.close();
    data0?.close();
  }
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
