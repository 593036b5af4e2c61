/**
 * Data that come as they are made, on the device: the host writes batches into a ring there, a few ahead of the steps that
 * need them. Each step takes the batch that its slot holds.
 */
import type { Update } from "../graph/graph.ts";
import { type Shape, sizeOf } from "../graph/node.ts";
import { increment } from "../ops/arithmetic.ts";
import { gather } from "../ops/rows.ts";
import { reshape } from "../ops/shape.ts";
import { state } from "../ops/sources.ts";
import type { DataSource, DataStream } from "./source.ts";

/** Where the batches lie, and which of them is next. */
const RING = "data.ring";
const SLOT = { name: "data.slot", shape: [1], dtype: "u32" } as const;

/** Bytes of points in the ring at most, and batches. */
const [RING_BYTES, MOST_SLOTS] = [1 << 24, 64];

const slotsOf = (rows: number, dimension: number): number =>
  Math.max(1, Math.min(MOST_SLOTS, Math.floor(RING_BYTES / (4 * rows * dimension))));

/** What is known of the rows: `shape` of a point, what is told of it, and how it comes to model units. */
export interface StreamedPoints extends Pick<DataSource, "conditions" | "standardization"> {
  readonly shape: Shape;
}

/** The source of rows that come from there. */
export function streamSource(
  { shape, conditions, standardization }: StreamedPoints,
  rows: Pick<DataStream, "from" | "isOwn">,
): DataSource {
  const dimension = sizeOf(shape);
  const ring = (name: string) => `${RING}.${name}`;
  return {
    name: "stream",
    options: { dimension, shape: Object.freeze([...shape]), ...(conditions ? { conditions } : {}) },
    dimension,
    ...(shape.length > 1 ? { shape: Object.freeze([...shape]) } : {}),
    ...(conditions ? { conditions } : {}),
    ...(standardization ? { standardization } : {}),
    draw({ rows, state }) {
      const slots = slotsOf(rows, dimension);
      const slot = state(SLOT.name, SLOT.shape, SLOT.dtype);
      const taken = (name: string, one: Shape, dtype: "f32" | "u32") =>
        reshape(gather(state(name, [slots, rows * sizeOf(one)], dtype), slot), [rows, ...one]);
      const points = taken(RING, [dimension], "f32");
      if (!conditions) return points;
      const told = Object.entries(conditions).map(
        ([name, { shape, classes }]) =>
          [name, taken(ring(name), shape, classes === undefined ? "f32" : "u32")] as const,
      );
      return { points, conditions: new Map(told) };
    },
    updates: (): Update[] => [{ state: SLOT, value: increment(state(SLOT)) }],
    stream: {
      ...{ points: RING, slot: SLOT.name, condition: ring },
      slots: (rows) => slotsOf(rows, dimension),
      ...rows,
    },
  };
}
