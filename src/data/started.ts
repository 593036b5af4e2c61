/** Data with a distribution to start from in place of noise, each drawn by itself: on the device, where both can be. */
import type { Node } from "../graph/node.ts";
import { divide, subtract } from "../ops/arithmetic.ts";
import { gather } from "../ops/rows.ts";
import { table } from "../ops/sources.ts";
import { type ArrayData, inUnits, isArrayData } from "./array.ts";
import { type DataContext, type DataSource, type Drawn, drawnFrom } from "./source.ts";
import { type Standardization, standardize } from "./standardize.ts";

/** Names of the start's states: beside the data's own, which may be called alike. */
const startState = (name: string): string => `start.${name}`;

/** Starts in the model units of the data: points of a user's own by f64 on the host, what is drawn by f32 on the device. */
export interface Start {
  /** Contents of the states that `draw` reads, by name. */
  readonly state: ReadonlyMap<string, Float32Array | Uint32Array>;
  draw(context: DataContext): Drawn;
}

/** @param units - the data's, from data units to model units. */
export function startIn(given: DataSource, units: Standardization | undefined): Start {
  const source = inUnits(given, units);
  const isDone = isArrayData(source) || units === undefined;
  return {
    state: new Map([...(source.state ?? [])].map(([name, values]) => [startState(name), values])),
    draw(context) {
      const state: DataContext["state"] = (name, shape, dtype) => context.state(startState(name), shape, dtype);
      const drawn = drawnFrom(source, { ...context, state });
      return isDone ? drawn : { ...drawn, points: inModelUnits(drawn.points, units) };
    },
  };
}

function inModelUnits(x: Node, { mean, std }: Standardization): Node {
  const [shift, scale] = [mean, std].map((list) => table(list, [1, list.length])) as [Node, Node];
  return divide(subtract(x, shift), scale);
}

/** The data, each batch with as many starts drawn beside it. */
export function withStart(data: DataSource, given: DataSource): DataSource {
  const start = startIn(given, data.standardization);
  return {
    ...data,
    state: new Map([...(data.state ?? []), ...start.state]),
    draw(context) {
      const drawn = drawnFrom(data, context);
      return { ...drawn, start: start.draw(context).points };
    },
  };
}

/**
 * Points that come with their starts: a number is drawn, and says a row of both.
 *
 * @param starts - row-major, as many as the data have rows, in data units.
 */
export function withStartRows(data: ArrayData, starts: Float32Array | Float64Array): DataSource {
  const { standardization, count, dimension } = data;
  const name = startState("points");
  const values = Float32Array.from(standardization ? standardize(starts, standardization) : starts);
  return {
    ...data,
    state: new Map([...(data.state ?? []), [name, values]]),
    draw(context) {
      const chosen = context.random("index", [context.rows], { bound: count });
      const drawn = data.rowsAt(chosen, context);
      const start = gather(context.state(name, [count, dimension], "f32"), chosen);
      return { conditions: new Map(), ...("points" in drawn ? drawn : { points: drawn }), start };
    },
  };
}
