// Which draw serves what: known by who asked for it (the data source, the loss, ...), not by its stream's number.
import type { DataSource } from "../../src/data/source.ts";
import type { Loss } from "../../src/flow/losses/loss.ts";
import { type Graph, topologicalOrder } from "../../src/graph/graph.ts";
import { isNodeOf, type Node } from "../../src/graph/node.ts";
import { type RandomAttributes, randomOp } from "../../src/ops/random.ts";

export type Draw = Node<RandomAttributes>;

/** Streams met so far, and what for. Seeds and counters of different graphs may be equal: all share one table. */
export class Purposes {
  readonly #byStream = new Map<number, { purpose: string; attributes: string }>();

  /** Notes a draw; throws when its stream has served another purpose, or drawn other numbers for this one. */
  note(purpose: string, { stream, ...attributes }: RandomAttributes): void {
    const known = this.#byStream.get(stream);
    const entry = { purpose, attributes: JSON.stringify(attributes) };
    if (known && (known.purpose !== purpose || known.attributes !== entry.attributes)) {
      throw new Error(
        `stream ${stream} serves ${known.purpose} ${known.attributes} and ${purpose} ${entry.attributes}`,
      );
    }
    this.#byStream.set(stream, entry);
  }
}

export function drawsIn(outputs: readonly Node[]): Draw[] {
  return topologicalOrder(outputs).filter((node): node is Draw => isNodeOf(node, randomOp.op));
}

export function valuesIn({ updates }: Graph): Node[] {
  return updates.map(({ value }) => value);
}

/** A loss and a source that remember who asked for which draw. */
export function watched(loss: Loss, data: DataSource) {
  const roles = new Map<Node, string>();
  const own = (role: string, node: Node) => {
    // The n-th draw of a role is a purpose too: two probes on one stream would be one probe.
    const number = [...roles.values()].filter((other) => other.startsWith(role)).length;
    roles.set(node, `${role} ${number}`);
    return node;
  };
  return {
    roles,
    loss: {
      ...loss,
      build: (context) => {
        own("noise", context.x0);
        own("times", context.t);
        return loss.build({ ...context, random: (kind, shape) => own("loss", context.random(kind, shape)) });
      },
    } satisfies Loss,
    data: {
      ...data,
      draw: (context) =>
        data.draw({ ...context, random: (kind, shape, options) => own("data", context.random(kind, shape, options)) }),
    } satisfies DataSource,
  };
}

/**
 * Notes every draw of the graph by its role, and gives the roles.
 *
 * @param own - what is drawn for the batch's own sake, in order: noise upon the data, who is not told what.
 */
export function noteAll(
  purposes: Purposes,
  use: string,
  outputs: readonly Node[],
  roles: ReadonlyMap<Node, string>,
  own: readonly string[] = [],
): string[] {
  const left = [...own];
  return drawsIn(outputs).map((node) => {
    const role = roles.get(node) ?? left.shift();
    if (!role) throw new Error(`nobody asked for stream ${node.attributes.stream}`);
    purposes.note(`${use} ${role}`, node.attributes);
    return role;
  });
}
