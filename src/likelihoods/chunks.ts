/** Samples a chunk at a time, so that all of them need not fit in memory. */
import { copiedNumbers, type Numbers } from "../data/numbers.ts";
import type { ConditionsGiven, Model, SampleOptions, Samples } from "../engine/api.ts";
import { ask } from "../engine/asking.ts";
import { plainGuides } from "../engine/guide-options.ts";
import { ConfigError, DataError } from "../errors.ts";
import { copiedOptions, integerOption, optionsObject, partOption } from "../graph/options.ts";
import { type RowRange, rangeOption } from "./row-range.ts";

export interface SampleChunksOptions extends SampleOptions {
  /** Samples of a chunk; the last may have fewer. Default 10,000. */
  readonly chunk?: number;
  /**
   * These rows of the `count` samples alone, to the same bits; `onProgress` still tells rows of all. What is solved with them is
   * solved too: `shardRows` cuts where nothing is solved twice. Default: all.
   */
  readonly rows?: RowRange;
}

export const sampleNames = [
  ...(["count", "noise", "start", "logDensity", "times", "guide", "known"] as const),
  ...(["solver", "conditions", "guidance", "seed", "signal", "best", "ema", "onProgress"] as const),
] satisfies readonly (keyof SampleOptions)[];

const names = [...sampleNames, "chunk", "rows"] as const satisfies readonly (keyof SampleChunksOptions)[];

/**
 * What `model.sample` gives with these options, bit for bit, in chunks: memory is that of one chunk and of what the device
 * solves at once (4,096 samples at most), however many there are. The bits do not depend on the chunk.
 *
 * @throws {@link ConfigError} when an option is wrong, or the model is trained on between two chunks.
 * @throws what `model.sample` throws.
 * @example
 * for await (const { values, count } of sampleChunks(model, { count: 1e6, chunk: 50_000, seed: 1 })) await write(values);
 */
export function sampleChunks(model: Model, options: SampleChunksOptions): AsyncGenerator<Samples, void, undefined> {
  const given = optionsObject("options of sampleChunks", copiedOptions(options), names);
  const { chunk = 10_000, rows, guide, known, noise, start, times, count, ...rest } = given;
  integerOption("chunk of sampleChunks", chunk, 1, 2 ** 31 - 1); // numbers that an array may have
  partOption("model of sampleChunks", model, "sample", "trainer.model");
  const { dimension } = model;
  const copy = (name: string, from: Numbers | undefined) =>
    from === undefined ? undefined : copiedNumbers(`${name} of sampleChunks`, from, dimension);
  const [own, begin] = [copy("noise", noise), copy("start", start)];
  const points = own ?? begin;
  const total = points ? Math.ceil(points.length / dimension) : integerOption("count of sampleChunks", count);
  if (count !== undefined && count !== total) throw unequal(count, total);
  const range = rangeOption("rows of sampleChunks", rows, total);
  const shared = {
    ...rest,
    ...plainGuides({ guide, known }, model),
    ...(times === undefined ? {} : { times: copiedNumbers("times of sampleChunks", times) }),
  };
  const told = toldRows("sampleChunks", model, rest.conditions, total);
  const rowsFrom = (first: number) => {
    const last = Math.min(total, first + MOST_AT_ONCE);
    const part = (of: Numbers) => of.slice(first * dimension, last * dimension);
    return {
      ...(points ? {} : { count: last - first }),
      ...(own ? { noise: part(own) } : {}),
      ...(begin ? { start: part(begin) } : {}),
      ...(told ? { conditions: told(first, last) } : {}),
    };
  };
  const optionsFrom = (first: number) => ({ ...shared, ...rowsFrom(first) }) as SampleOptions;
  const atOnce = () => ask("sampleChunks", model, undefined, { ...(shared as SampleOptions), of: "rows", total });
  return chunksOf(model, { optionsFrom, atOnce }, { ...range, total, size: chunk });
}

/** Rows that a question is of: the engine solves as many at once at most. */
const MOST_AT_ONCE = 4096;

function unequal(count: number, points: number): ConfigError {
  const expected = `${points}, as many as there are points to start from`;
  return new ConfigError({ subject: "count of sampleChunks", given: count, expected, remedy: "Leave it out." });
}

/** Gives what rows `first` to `last` of `total` are told: what is one for all stays, what is one for each is cut. */
export function toldRows(of: string, model: Model, conditions: ConditionsGiven | undefined, total: number) {
  if (conditions === undefined || total === 1) return undefined;
  const each = Object.entries(conditions).map(([name, given]) => {
    const { shape = [], classes } = model.conditions[name] ?? {};
    const width = shape.reduce((product, size) => product * size, 1);
    const isList = Array.isArray(given) || ArrayBuffer.isView(given);
    if (!isList) return () => [name, given] as const;
    const values = (Array.isArray(given) ? given.flat(Number.POSITIVE_INFINITY) : given.slice()) as number[];
    if (values.length === total * width) {
      return (first: number, last: number) => [name, values.slice(first * width, last * width)] as const;
    }
    if (values.length === width && classes === undefined) return () => [name, given] as const;
    throw new DataError({
      subject: `condition "${name}" of ${of}`,
      given: `${values.length} ${classes === undefined ? "numbers" : "labels"}`,
      expected: `${width} for all points, or ${total * width} for ${total}`,
      remedy: "Give one for all points, or one for each.",
    });
  });
  return (first: number, last: number): ConditionsGiven =>
    Object.fromEntries(each.map((one) => one(first, last))) as ConditionsGiven;
}

async function* chunksOf(
  model: Model,
  {
    optionsFrom,
    atOnce,
  }: { readonly optionsFrom: (first: number) => SampleOptions; readonly atOnce: () => Promise<number> },
  { first, last, total, size }: RowRange & { readonly total: number; readonly size: number },
): AsyncGenerator<Samples, void, undefined> {
  const { step } = model;
  let ready: Samples | undefined;
  let solved = first > 0 ? first - (first % (await atOnce())) : 0;
  while (solved < last || ready) {
    while (solved < last && (ready?.count ?? 0) < size) {
      if (model.step !== step) throw trainedOn(step, model.step);
      const asked = { ...optionsFrom(solved), of: "block", block: solved, total } as const;
      const block = await ask("sampleChunks", model, undefined, asked);
      const [from, to] = [Math.max(0, first - solved), Math.min(block.count, last - solved)];
      const wanted = rowsOf(block, from, to, block.seconds);
      solved += block.count;
      ready = ready ? joined(ready, wanted) : wanted;
    }
    const all = ready as Samples;
    const own = Math.min(size, all.count);
    ready = own < all.count ? rowsOf(all, own, all.count, 0) : undefined;
    yield rowsOf(all, 0, own, all.seconds);
  }
}

type Values = Samples["values"];

/** Numbers of `of` rows, made by copying parts of others to where they begin. */
function copied<Array extends Values>(
  like: Array,
  length: number,
  ...parts: readonly (readonly [Array, number])[]
): Array {
  const all = (like instanceof Float64Array ? new Float64Array(length) : new Float32Array(length)) as Array;
  for (const [part, at] of parts) all.set(part, at);
  return all;
}

/** Rows of samples, which took these seconds. */
function rowsOf(samples: Samples, from: number, to: number, seconds: number): Samples {
  const { values, count, dimension, shape, logDensity, trajectory } = samples;
  if (from === 0 && to === count) return { ...samples, seconds };
  const own = to - from;
  const rows = (of: Values, start = 0) => of.subarray((start + from) * dimension, (start + to) * dimension);
  return {
    ...{ values: rows(values).slice(), count: own, dimension, shape: [own, ...shape.slice(1)], seconds },
    ...(logDensity
      ? {
          logDensity: {
            values: logDensity.values.slice(from, to),
            standardError: logDensity.standardError.slice(from, to),
          },
        }
      : {}),
    ...(trajectory
      ? {
          trajectory: {
            times: trajectory.times,
            values: copied(
              trajectory.values,
              trajectory.times.length * own * dimension,
              ...trajectory.times.map(
                (_, i) => [rows(trajectory.values, i * count), i * own * dimension] as readonly [Values, number],
              ),
            ),
          },
        }
      : {}),
  };
}

/** The rows of one after those of the other. */
function joined(a: Samples, b: Samples): Samples {
  const { dimension } = a;
  const count = a.count + b.count;
  const both = <Numbers extends Values>(first: Numbers, second: Numbers) =>
    copied(first, first.length + second.length, [first, 0], [second, first.length]);
  const [along, more] = [a.trajectory, b.trajectory];
  return {
    ...{ values: both(a.values, b.values), count, dimension, shape: [count, ...a.shape.slice(1)] },
    ...(a.logDensity && b.logDensity
      ? {
          logDensity: {
            values: both(a.logDensity.values, b.logDensity.values),
            standardError: both(a.logDensity.standardError, b.logDensity.standardError),
          },
        }
      : {}),
    ...(along && more
      ? {
          trajectory: {
            times: along.times,
            values: copied(
              along.values,
              along.times.length * count * dimension,
              ...along.times.flatMap((_, i): (readonly [Values, number])[] => [
                [along.values.subarray(i * a.count * dimension, (i + 1) * a.count * dimension), i * count * dimension],
                [
                  more.values.subarray(i * b.count * dimension, (i + 1) * b.count * dimension),
                  (i * count + a.count) * dimension,
                ],
              ]),
            ),
          },
        }
      : {}),
    seconds: a.seconds + b.seconds,
  };
}

function trainedOn(from: number, to: number): ConfigError {
  return new ConfigError({
    subject: "model of sampleChunks",
    given: `one of step ${to}, after chunks of step ${from}`,
    expected: "the same parameters for all chunks",
    remedy: "Train on when all of them are there, or sample from a copy: load(runtime, await model.checkpoint()).",
  });
}
