import { evaluate } from "../graph/evaluate.ts";
import { type Node, type Shape, sizeOf } from "../graph/node.ts";
import type { HostTensor } from "../graph/op.ts";
import { integerOption, partOption } from "../graph/options.ts";
import { random } from "../ops/random.ts";
import { state } from "../ops/sources.ts";
import { Streams } from "../ops/streams.ts";
import { seedOf } from "../ops/threefry.ts";
import { expectDrawable } from "./drawable.ts";
import { expectHeld } from "./held.ts";
import { type DataCondition, type DataSource, type Drawn, drawnFrom } from "./source.ts";
import { unstandardize } from "./standardize.ts";

/**
 * Points of a source, drawn on the host in f64 by the graph that training draws with.
 *
 * @param count - how many.
 * @param seed - an integer from 0 to 2^53 - 1; equal seeds give equal points.
 * @returns row-major [count, D], in data units; f64 where the source has a standardisation, else f32.
 * @throws {@link LimitError} when an array cannot hold as many.
 * @throws {@link ConfigError} when count or seed is outside its range.
 */
export function sampleData(source: DataSource, count: number, seed = 0): Float32Array | Float64Array {
  partOption("source of sampleData", source, "draw", "checkerboard()");
  expectDrawable("source of sampleData", source);
  integerOption("count of sampleData", count);
  integerOption("seed of sampleData", seed, 0);
  expectHeld("points of sampleData", count, source.dimension);
  const data = drawnOnHost(source, count, seed);
  return source.standardization ? unstandardize(data, source.standardization) : Float32Array.from(data);
}

/** Points [count, D] of a source as the graph that training draws with has them in f64, in its model units. */
export function drawnOnHost(source: DataSource, count: number, seed: number): Float64Array {
  return rowsOnHost(source, count, seed, ({ points }) => [points])[0] as Float64Array;
}

/** What {@link sampleRows} gives. */
export interface SampledRows {
  /** [count, D], in data units. */
  readonly values: Float32Array | Float64Array;
  /** What is known of each, by name: row-major [count, ...], in data units; labels u32. */
  readonly conditions: Readonly<Record<string, Float64Array | Uint32Array>>;
}

/** As {@link sampleData}, with what is known of each point. */
export function sampleRows(source: DataSource, count: number, seed: number): SampledRows {
  const { conditions = {} } = source;
  const names = Object.keys(conditions);
  const [points, ...told] = rowsOnHost(source, count, seed, (drawn) => [
    drawn.points,
    ...names.map((name) => drawn.conditions.get(name) as Node),
  ]) as [Float64Array, ...Float64Array[]];
  const inDataUnits = (name: string, values: Float64Array) => {
    const { classes, standardization } = conditions[name] as DataCondition;
    if (classes !== undefined) return Uint32Array.from(values);
    return standardization ? unstandardize(values, standardization) : values;
  };
  return {
    values: source.standardization ? unstandardize(points, source.standardization) : Float32Array.from(points),
    conditions: Object.fromEntries(names.map((name, i) => [name, inDataUnits(name, told[i] as Float64Array)])),
  };
}

/** In f64, the values of a draw's nodes. */
function rowsOnHost(
  source: DataSource,
  count: number,
  seed: number,
  nodesOf: (drawn: Drawn) => readonly Node[],
): Float64Array[] {
  const values = new Map<string, HostTensor>([
    ["sample.seed", { shape: [2], data: Float64Array.from(seedOf(seed)) }],
    ["sample.counter", { shape: [1], data: new Float64Array(1) }],
  ]);
  const drawn = drawRows(source, count, (name, shape) => {
    const contents = source.state?.get(name);
    if (contents?.length === sizeOf(shape)) values.set(name, { shape, data: Float64Array.from(contents) });
  });
  return evaluate(nodesOf(drawn), values).map(({ data }) => data);
}

/**
 * The points [count, D] by states "sample.seed" and "sample.counter", in the source's model units.
 *
 * @param reads - told of each state of the source that the graph reads.
 */
export function drawPoints(source: DataSource, count: number, reads: (name: string, shape: Shape) => void): Node {
  return drawRows(source, count, reads).points;
}

function drawRows(source: DataSource, count: number, reads: (name: string, shape: Shape) => void): Drawn {
  const streams = new Streams();
  const seed = state({ name: "sample.seed", shape: [2], dtype: "u32" });
  const counter = state({ name: "sample.counter", shape: [1], dtype: "u32" });
  return drawnFrom(source, {
    rows: count,
    random: (kind, shape, { bound } = {}) =>
      random(kind, shape, {
        ...{ seed, counter, stream: streams.next("points") },
        ...(bound === undefined ? {} : { bound }),
      }),
    state: (name, shape, dtype) => {
      reads(name, shape);
      return state({ name, shape, dtype });
    },
  });
}
