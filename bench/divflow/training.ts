/**
 * A training step on the workload's own inputs. It is the engine's step: the same graph, compiler and backend, under a
 * loss that reads given states in place of drawn batches, times and probes, whose drawing then falls away as dead.
 */
import type { Backend } from "../../src/backends/backend.ts";
import { checkerboard } from "../../src/data/checkerboard.ts";
import { constantState } from "../../src/engine/trainer-state.ts";
import { hutchinsonEstimate, jacobianProducts } from "../../src/flow/divergence.ts";
import { type Loss, meanSquare } from "../../src/flow/losses/loss.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import type { Node, Shape } from "../../src/graph/node.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { type Network, parameterLayout } from "../../src/nn/network.ts";
import { add, multiply, square, subtract } from "../../src/ops/arithmetic.ts";
import { stopGradient } from "../../src/ops/control.ts";
import { meanAll, sum } from "../../src/ops/reduce.ts";
import { state } from "../../src/ops/sources.ts";
import { adam } from "../../src/train/adam.ts";
import { buildTrainStep, trainState } from "../../src/train/step.ts";
import type { Task, Work } from "../session.ts";
import { adamOptions, divergenceWeight, makeWorkload } from "../workload.mjs";
import { loaded, trainingStepWork } from "./loaded.ts";

export type Objective = "cfm" | "fdm";
type Workload = ReturnType<typeof makeWorkload>;

export function workloadNetwork(width: number): Network {
  return mlp({ dimension: 2, hidden: [width, width, width, width], activation: "silu" });
}

/** The workload's parameters in the network's flat vector. */
export function flatParameters(network: Network, { weights, biases }: Pick<Workload, "weights" | "biases">) {
  const { total, entries } = parameterLayout(network);
  const flat = new Float32Array(total);
  for (const { declaration, offset } of entries) {
    const [index, kind] = declaration.name.split(".");
    const layer = Number(index) / 2; // activations count too
    flat.set((kind === "weight" ? weights : biases)[layer] as Float32Array, offset);
  }
  return flat;
}

/** The graph of one step. Reads "bench.x", "bench.t", "bench.u" and, for FDM, the states that follow. */
export function trainingGraph(objective: Objective, network: Network, batch: number) {
  return buildTrainStep({
    network,
    path: condOT(),
    loss: givenLoss(objective, batch),
    optimizer: adam(adamOptions),
    data: checkerboard(),
    batchSize: batch,
  });
}

function givenLoss(objective: Objective, batch: number): Loss {
  const given = (name: string, columns: number): Node => {
    const shape: Shape = [batch, columns];
    return state({ name: `bench.${name}`, shape, dtype: "f32" });
  };
  return {
    name: `${objective}-given`,
    options: {},
    build({ network }) {
      const [x, u] = [given("x", 2), given("u", 2)];
      const v = network(x, given("t", 1));
      const velocityLoss = meanSquare(subtract(v, u));
      if (objective === "cfm") return { loss: velocityLoss, velocityLoss, divergenceLoss: undefined };
      const z = given("z", 2);
      const [product] = jacobianProducts(v, x, [z]) as [Node];
      const along = sum(multiply(subtract(stopGradient(v), u), given("dlogp", 2)), [1]);
      const residual = subtract(add(hutchinsonEstimate(z, product), along), given("divu", 1));
      const divergenceLoss = meanAll(square(multiply(given("sigma", 1), residual)));
      return { loss: add(velocityLoss, multiply(divergenceLoss, divergenceWeight)), velocityLoss, divergenceLoss };
    },
  };
}

/** The values of the states "bench...". */
export function trainingInputs({ xt, u, z, dlogp, divu, sigma }: Workload): Map<string, Float32Array> {
  const rows = divu.length;
  const x = Float32Array.from({ length: 2 * rows }, (_, i) => xt[3 * (i >> 1) + (i & 1)] as number);
  const t = Float32Array.from({ length: rows }, (_, row) => xt[3 * row + 2] as number);
  return new Map(Object.entries({ x, t, u, z, dlogp, divu, sigma }).map(([name, value]) => [`bench.${name}`, value]));
}

/** A training step, ready to run, with its losses. */
export async function trainingWork(backend: Backend, objective: Objective, { width, batch }: Task): Promise<Work> {
  const workload = makeWorkload(width, batch);
  const network = workloadNetwork(width);
  const values = [
    ...[...constantState(0, checkerboard()), ...trainingInputs(workload)],
    ["parameters", flatParameters(network, workload)] as const,
    [trainState.ok.name, Float32Array.of(1)] as const,
  ];
  return loaded(backend, trainingGraph(objective, network, batch), values, (opened) => trainingStepWork(opened));
}
