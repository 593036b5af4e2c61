/**
 * Parts of many samples or log-densities, made apart, say on several machines, and bit-equal to the same rows of the whole: what is solved
 * at once shares random numbers and an adaptive solver's steps, so it is solved as the whole has it.
 */
import { copiedNumbers, type Numbers } from "../data/numbers.ts";
import type { LogDensity, LogDensityOptions, Model, SampleOptions } from "../engine/api.ts";
import { ask, solveOptionsAnd } from "../engine/asking.ts";
import { plainGuides } from "../engine/guide-options.ts";
import { ConfigError, DataError } from "../errors.ts";
import { copiedOptions, integerOption, optionsObject } from "../graph/options.ts";
import { sampleNames, toldRows } from "./chunks.ts";
import { type RowRange, rangeOption } from "./row-range.ts";

/** One of `of` parts. */
export interface Shard {
  /** From 0. */
  readonly index: number;
  readonly of: number;
}

/** Of the whole: its samples; or its log-densities, their estimator as `logDensity`. */
export interface ShardRowsOptions extends SampleOptions {
  readonly count: number;
}

/** Rows of a part, and how many rows are solved at once. */
export interface ShardRows extends RowRange {
  readonly atOnce: number;
}

/**
 * The rows of a part, equal on every machine: parts are as equal as can be and cut where nothing is solved twice, between what is
 * solved at once (4,096 rows at most). Where there are more parts than that, rows are dealt out evenly, and each part solves all that is
 * solved at once with them.
 *
 * @param options - as `model.sample` takes them; of `model.logDensity` its divergence and probes stand in `logDensity`, true where it has none.
 * @throws {@link ConfigError} when there are more parts than rows, or an option is wrong.
 * @example
 * const rows = await shardRows(model, { count: 1e6, seed: 1 }, { index: 2, of: 8 });
 * for await (const { values } of sampleChunks(model, { count: 1e6, seed: 1, rows })) await write(values);
 */
export async function shardRows(model: Model, options: ShardRowsOptions, shard: Shard): Promise<ShardRows> {
  const given = optionsObject("options of shardRows", copiedOptions(options), sampleNames);
  const { count, guide, known, onProgress: _, noise: _noise, start: _start, ...rest } = given;
  const total = integerOption("count of shardRows", count);
  const { index, of } = optionsObject("shard of shardRows", shard, ["index", "of"]);
  integerOption("of of shardRows", of, 1);
  integerOption("index of shardRows", index, 0, of - 1);
  if (of > total) throw tooMany(of, total);
  const asked = { ...rest, ...plainGuides({ guide, known }, model) } as ShardRowsOptions;
  const atOnce = await ask("shardRows", model, undefined, { ...asked, of: "rows", total });
  const blocks = Math.ceil(total / atOnce);
  const [units, size] = blocks >= of ? [blocks, atOnce] : [total, 1];
  const edge = (part: number) => Math.min(total, Math.floor((part * units) / of) * size);
  return { first: edge(index), last: edge(index + 1), atOnce };
}

function tooMany(of: number, total: number): ConfigError {
  return new ConfigError({
    subject: "shard of shardRows",
    given: `one of ${of} parts`,
    expected: `at most ${total}, as many as there are rows`,
    remedy: "Take fewer parts.",
  });
}

/** Options of a part of log-densities. */
export interface LogDensityOfRowsOptions extends LogDensityOptions {
  /** Of all points. */
  readonly rows: RowRange;
}

/**
 * Log-densities of some rows of points, to the bits of `model.logDensity` of all of them.
 *
 * @param points - all of them, as of `model.logDensity`, whose other options this takes; `onProgress` tells rows of all.
 * @throws what `model.logDensity` throws.
 */
export async function logDensityOfRows(
  model: Model,
  points: Numbers,
  options: LogDensityOfRowsOptions,
): Promise<LogDensity> {
  const { rows, conditions, ...rest } = solveOptionsAnd("logDensityOfRows", options, ["rows", "divergence", "probes"]);
  const { dimension } = model;
  const all = copiedNumbers("points", points, dimension);
  const total = all.length / dimension;
  if (!Number.isInteger(total) || total === 0) throw notWhole(all.length, dimension);
  const { first, last } = rangeOption("rows of logDensityOfRows", rows, total);
  const told = toldRows("logDensityOfRows", model, conditions, total);
  const { divergence, probes, ...solve } = rest;
  const estimator = { ...(divergence ? { divergence } : {}), ...(probes === undefined ? {} : { probes }) };
  const whole = { ...solve, ...(conditions ? { conditions } : {}), logDensity: estimator };
  const atOnce = await ask("logDensityOfRows", model, undefined, { ...whole, of: "rows", total });
  const block = first - (first % atOnce);
  const end = Math.min(total, Math.ceil(last / atOnce) * atOnce);
  const { values, standardError } = await ask(
    "logDensityOfRows",
    model,
    all.slice(block * dimension, end * dimension),
    {
      ...rest,
      ...(told ? { conditions: told(block, end) } : conditions ? { conditions } : {}),
      of: "densities",
      block,
      total,
    },
  );
  const part = (of: Float64Array) => of.slice(first - block, last - block);
  return { values: part(values), standardError: part(standardError) };
}

function notWhole(length: number, dimension: number): DataError {
  return new DataError({
    subject: "points",
    given: `${length} values`,
    expected: `a multiple of ${dimension}, the model's dimension`,
    remedy: "Give whole points, row-major [count, dimension].",
  });
}
