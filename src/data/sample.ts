import { evaluate } from "../graph/evaluate.ts";
import { sizeOf } from "../graph/node.ts";
import type { HostTensor } from "../graph/op.ts";
import { integerOption } from "../graph/options.ts";
import { random } from "../ops/random.ts";
import { state } from "../ops/sources.ts";
import { seedOf } from "../ops/threefry.ts";
import type { DataSource } from "./source.ts";
import { unstandardize } from "./standardize.ts";

/** First of the random streams used here: none that a training step uses, so equal seeds give independent points. */
const FIRST_STREAM = 0x800;

/**
 * Points of a source, drawn on the host in f64 by the graph that training draws with.
 *
 * @param count - how many.
 * @param seed - an integer from 0 to 2^53 - 1; equal seeds give equal points.
 * @returns row-major [count, D], in data units.
 * @throws {@link ConfigError} when count or seed is outside its range.
 */
export function sampleData(source: DataSource, count: number, seed = 0): Float32Array {
  integerOption("count of sampleData", count);
  integerOption("seed of sampleData", seed, 0);
  const values = new Map<string, HostTensor>([
    ["sample.seed", { shape: [2], data: Float64Array.from(seedOf(seed)) }],
    ["sample.counter", { shape: [1], data: new Float64Array(1) }],
  ]);
  let stream = FIRST_STREAM;
  const drawn = source.draw({
    rows: count,
    random: (kind, shape, { bound } = {}) =>
      random(kind, shape, {
        seed: state({ name: "sample.seed", shape: [2], dtype: "u32" }),
        counter: state({ name: "sample.counter", shape: [1], dtype: "u32" }),
        stream: stream++,
        ...(bound === undefined ? {} : { bound }),
      }),
    state: (name, shape, dtype) => {
      const contents = source.state?.get(name);
      if (contents?.length === sizeOf(shape)) values.set(name, { shape, data: Float64Array.from(contents) });
      return state({ name, shape, dtype });
    },
  });
  const { data } = evaluate([drawn], values)[0];
  return source.standardization ? unstandardize(data, source.standardization) : Float32Array.from(data);
}
