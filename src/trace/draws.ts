/** Random numbers of traced functions: inputs of the trace, drawn in the order that the function asks for them. */
import { UnsupportedError } from "../errors.ts";
import type { DType, Node, Shape } from "../graph/node.ts";
import { type RandomKind, randomKinds } from "../ops/threefry.ts";
import { attributeAt } from "./plain.ts";
import { damage, fieldsOf } from "./sealed.ts";
import type { TraceInput } from "./trace.ts";

/** One of them: plain JSON. Its shape is the input's. */
export interface Draw {
  readonly kind: RandomKind;
  /** Of "index": numbers are below it; else 0. */
  readonly bound: number;
}

/** Draws anew: every call gives others. */
export type Random = (kind: RandomKind, shape: Shape, options?: { readonly bound?: number }) => Node;

type More = (name: string, shape: Shape, dtype: DType) => Node;

/** What the calls of one tracing ask for. */
export class Draws {
  readonly #lists: Draw[][] = [];

  /** For one call of the function that is traced. */
  recorder(more: More): Random {
    const list: Draw[] = [];
    this.#lists.push(list);
    return (kind, shape, { bound = 0 } = {}) => {
      list.push({ kind, bound });
      return more(inputName(list.length - 1), shape, dtypeOf(kind));
    };
  }

  /** @throws {@link UnsupportedError} when they differ with the number of rows. */
  all(subject: string): readonly Draw[] {
    const [first, ...others] = this.#lists.map((list) => JSON.stringify(list));
    if (others.every((other) => other === first)) return this.#lists[0] ?? [];
    throw new UnsupportedError({
      subject: `random numbers of ${subject}`,
      given: [first, ...others].join("; "),
      expected: "the same kinds and bounds for any number of rows",
      remedy: "Draw for whole batches.",
    });
  }
}

const inputName = (i: number) => `random.${i}`;
const dtypeOf = (kind: RandomKind): DType => (kind === "bits" || kind === "index" ? "u32" : "f32");

/** The draws for a graph of so many rows, by the names of its inputs. */
export function drawnFor(
  draws: readonly Draw[],
  inputs: readonly TraceInput[],
  rows: number,
  random: Random,
): [string, Node][] {
  return draws.map(({ kind, bound }, i) => {
    const input = inputs.find(({ name }) => name === inputName(i)) as TraceInput;
    const shape = attributeAt("sizes", input.shape, rows) as Shape;
    return [input.name, random(kind, shape, bound > 0 ? { bound } : {})];
  });
}

/**
 * @param inputs - of the trace.
 * @throws {@link CheckpointError} when `given` is no list of draws, or the trace has other ones.
 */
export function checkedDraws(subject: string, given: unknown, inputs: readonly TraceInput[]): readonly Draw[] {
  if (!Array.isArray(given)) throw damage(`${subject}, draws`, given, "a list");
  for (const [i, one] of given.entries()) {
    const where = `${subject}, draw ${i}`;
    const { kind, bound } = fieldsOf(where, one, ["kind", "bound"]);
    if (!randomKinds.includes(kind as RandomKind)) throw damage(where, kind, `one of ${randomKinds.join(", ")}`);
    const least = kind === "index" ? 1 : 0;
    const most = kind === "index" ? 2 ** 32 - 1 : 0;
    if (!Number.isInteger(bound) || (bound as number) < least || (bound as number) > most) {
      throw damage(`${where}, bound`, bound, `an integer from ${least} to ${most}`);
    }
    const input = inputs.find(({ name }) => name === inputName(i));
    if (input?.dtype !== dtypeOf(kind as RandomKind)) {
      throw damage(where, input?.dtype ?? "no input of the graph", dtypeOf(kind as RandomKind));
    }
  }
  const more = inputs.find(({ name }) => name === inputName(given.length));
  if (more) throw damage(`${subject}, ${more.name}`, "no draw", "a draw for each");
  return given as Draw[];
}
