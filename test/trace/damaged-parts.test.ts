// Paths, data and losses of a user's own that were damaged: a CheckpointError, whatever it is.
import { describe, expect, test } from "vitest";
import { defineData } from "../../src/data/define-data.ts";
import { graphData } from "../../src/data/graph-data.ts";
import { CheckpointError } from "../../src/errors.ts";
import { defineLoss } from "../../src/flow/losses/define-loss.ts";
import { graphLoss } from "../../src/flow/losses/graph-loss.ts";
import type { Loss } from "../../src/flow/losses/loss.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { definePath } from "../../src/flow/paths/define-path.ts";
import { graphPath } from "../../src/flow/paths/graph-path.ts";
import { mlp } from "../../src/nn/mlp.ts";
import type { Network } from "../../src/nn/network.ts";
import { cos, less, sin } from "../../src/ops/arithmetic.ts";
import { meanAll } from "../../src/ops/reduce.ts";
import { Random } from "../reliability/random.mjs";
import { damaged, signed } from "./damaged.ts";

const through = (given: unknown) => JSON.parse(JSON.stringify(given));

/** The loss as a graph, for this network. */
function graphOf(loss: Loss, network: Network = mlp({ dimension: 2, hidden: [3] })): Loss {
  return loss.forNetwork?.(network, condOT()) as Loss;
}

// The graph inside is the traces', whose damages test/nn/define-network.test.ts has: here are the fields around it.
describe("damaged parts", () => {
  const parts: Readonly<Record<string, readonly [unknown, (given: unknown) => unknown]>> = {
    path: [definePath({ name: "mine", alpha: (t) => sin(t), sigma: (t) => cos(t) }).options, graphPath],
    data: [
      defineData({
        name: "mine",
        shape: [2],
        conditions: { label: { shape: [], classes: 2 } },
        draw: ({ rows, random }) => ({
          points: random("normal", [rows, 2]),
          conditions: { label: random("index", [rows], { bound: 2 }) },
        }),
      }).options,
      graphData,
    ],
    loss: [
      graphOf(defineLoss({ name: "mine", build: ({ random, x1 }) => meanAll(less(random("normal", x1.shape), x1)) }))
        .options,
      graphLoss,
    ],
  };
  test.each(Object.keys(parts))("of a %s are CheckpointErrors, under a checksum of their own too", (name) => {
    const [whole, made] = parts[name] as (typeof parts)[string];
    made(through(whole));
    let refused = 0;
    for (let seed = 0; seed < 400; seed++) {
      const random = new Random(seed);
      const given = damaged(whole, random);
      if (JSON.stringify(given) === JSON.stringify(whole)) continue;
      expect(() => made(given), `seed ${seed}`).toThrow(CheckpointError);
      try {
        signed(given, made);
      } catch (error) {
        expect(error, `seed ${seed}: ${String(error)}`).toBeInstanceOf(CheckpointError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(200);
  });
});
