/**
 * A training step of one of the networks that are compared, on given inputs: the engine's step under the library's own
 * losses, whose points, times and probe are states. Weights and inputs follow from names, so that PyTorch has the same
 * (peers/torch_networks.py).
 */
import type { Backend, Executable } from "../../src/backends/backend.ts";
import { Pace, runPaced } from "../../src/engine/pace.ts";
import { cfm } from "../../src/flow/losses/cfm.ts";
import { fdm } from "../../src/flow/losses/fdm.ts";
import type { Loss } from "../../src/flow/losses/loss.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { topologicalOrder } from "../../src/graph/graph.ts";
import { type Node, type Shape, sizeOf } from "../../src/graph/node.ts";
import { type Network, parameterLayout } from "../../src/nn/network.ts";
import { fromTorch, torchShape } from "../../src/nn/torch.ts";
import { state } from "../../src/ops/sources.ts";
import { adam } from "../../src/train/adam.ts";
import { buildTrainStep, trainState } from "../../src/train/step.ts";
import { cases } from "../planning-cases.ts";
import { fullStepUnits, NotOffered, type Task, type Work } from "../session.ts";
import { divergenceWeight, networkLearningRate, uniformOf } from "../workload.mjs";
import { kindsOf, planOf } from "./kinds.ts";
import { loaded, trainingStepWork } from "./loaded.ts";

/** The step's graph, the values of the states that it reads, and the operations of its products that count. */
export function networkStep({ workload, network: name = "" }: Pick<Task, "workload" | "network">) {
  const found = cases[name];
  if (!found) throw new RangeError(`There is no network "${name}" to measure.`);
  const { batch, conditions = {} } = found;
  const network = found.network();
  const shapes = Object.entries(conditions).map(([each, { shape, dtype = "f32" }]) => {
    return { name: each, shape: [batch, ...shape], dtype };
  });
  const told = new Map(shapes.map((each) => [each.name, state({ ...each, name: `condition.${each.name}` })]));
  const { conditions: _drawn, ...untold } = network;
  const graph = buildTrainStep({
    network: { ...untold, apply: (values, x, t) => network.apply(values, x, t, told) },
    path: condOT(),
    loss: givenLoss(workload === "fdm" ? fdm({ divergence: divergenceWeight }) : cfm(), [batch, network.dimension]),
    optimizer: adam({ learningRate: networkLearningRate }),
    data: {
      name: "given",
      options: {},
      dimension: network.dimension,
      draw: () => given("x1", [batch, network.dimension]),
    },
    batchSize: batch,
  });
  const values = [
    ...inputsOf(batch, network.dimension, shapes),
    ["parameters", parametersOf(network)] as const,
    [trainState.ok.name, Float32Array.of(1)] as const,
  ];
  return { graph, values, flops: (workload === "fdm" ? 6 : 3) * forwardFlops(network, told, batch) };
}

/** A step's products reach at most so many times the backend's ceiling: WebGPU's on software adapters reach 2.4. */
const MOST_OF_CEILING = 2.5;

/**
 * @param task - with the seconds that a step may take at most: what takes longer is not measured.
 * @param ceiling - GFLOP/s of the backend, where they have been measured.
 * @throws {@link NotOffered} of a step that takes longer, or must by its operations.
 */
export async function networkWork(backend: Backend, task: Task, ceiling?: number): Promise<Work> {
  const { graph, values, flops } = networkStep(task);
  const least = ceiling === undefined ? 0 : flops / (MOST_OF_CEILING * ceiling * 1e9);
  if (least > (task.mostSeconds ?? Number.POSITIVE_INFINITY)) {
    const why = `${(flops / 1e9).toPrecision(3)} GFLOP where a product reaches ${ceiling?.toPrecision(2)} GFLOP/s`;
    throw new NotOffered(`a step takes more than ${task.mostSeconds} s, by its operations: ${why}`);
  }
  return loaded(backend, graph, values, async (opened) => {
    const { mostSeconds } = task;
    const work = await trainingStepWork(opened, mostSeconds === undefined ? {} : { mostSeconds });
    const { parts } = opened.executable;
    return {
      ...(backend.name === "webgpu" ? inTraining(backend, work, opened.executable) : work),
      ...{ flops, plan: planOf(opened.program) },
      ...(parts ? { kinds: (steps: number) => kindsOf(opened, parts, steps) } : {}),
    };
  });
}

/** On a device: short steps as training runs them, the next recorded while one is computed; waited for at the end. */
function inTraining(backend: Backend, work: Work, executable: Executable): Work {
  const pace = new Pace();
  return {
    ...{ ...work, ...fullStepUnits },
    async run(units) {
      await runPaced(backend, executable, units, pace);
    },
  };
}

function given(name: string, shape: Shape): Node {
  return state({ name: `bench.${name}`, shape, dtype: "f32" });
}

/** The loss on the bench's noise, data, times and probe in place of drawn ones. */
function givenLoss(loss: Loss, shape: Shape): Loss {
  return {
    ...loss,
    build: (context) =>
      loss.build({
        ...context,
        ...{ x0: given("x0", shape), x1: given("x1", shape), t: given("t", [shape[0] as number, 1]) },
        random: () => given("z", shape),
      }),
  };
}

interface Told {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: "f32" | "u32";
}

/** Values of all states that the step reads beside the parameters. */
function inputsOf(rows: number, dimension: number, told: readonly Told[]): Map<string, Float32Array | Uint32Array> {
  const count = rows * dimension;
  const spread = (name: string) => uniformOf(name, count).map((value) => Math.sqrt(12) * (value - 0.5)); // of variance 1
  const conditions = told.map(({ name, shape, dtype }) => {
    const size = sizeOf(shape);
    const values =
      dtype === "u32"
        ? Uint32Array.from({ length: size }, (_, i) => i % 3)
        : uniformOf(name, size).map((value) => 0.5 + value); // above 0: one is a distance
    return [`condition.${name}`, values] as const;
  });
  return new Map<string, Float32Array | Uint32Array>([
    ["bench.x0", spread("x0")],
    ["bench.x1", spread("x1")],
    ["bench.t", uniformOf("t", rows).map((value) => 0.9 * value)],
    ["bench.z", uniformOf("z", count).map((value) => (value < 0.5 ? -1 : 1))],
    ...conditions,
  ]);
}

/** Matrices uniform within 1 / sqrt(what an output reads), scales 1, biases 0; in PyTorch's layout first. */
function parametersOf(network: Network): Float32Array {
  const tensors = network.parameters.map((declaration) => {
    const shape = torchShape(declaration);
    const bound = 1 / Math.sqrt(sizeOf(shape.slice(1)));
    const values =
      shape.length > 1
        ? uniformOf(declaration.name, sizeOf(shape)).map((value) => bound * (2 * value - 1))
        : new Float32Array(sizeOf(shape)).fill(/weight$/.test(declaration.name) ? 1 : 0);
    return [declaration.name, { shape, values }] as const;
  });
  return fromTorch(new Map(tensors), parameterLayout(network));
}

/** Multiplications and additions of the products in an evaluation: what a step is measured by, however it is computed. */
function forwardFlops(network: Network, told: ReadonlyMap<string, Node>, rows: number): number {
  const parameters = new Map(
    network.parameters.map(({ name, shape }) => [name, state({ name, shape, dtype: "f32" })] as const),
  );
  const x = given("x", [rows, network.dimension]);
  const velocity = network.apply(parameters, x, given("t", [rows, 1]), told);
  return topologicalOrder([velocity]).reduce((sum, node) => sum + flopsOfNode(node), 0);
}

function flopsOfNode({ op, inputs, attributes, shape }: Node): number {
  const [left, right] = inputs;
  const { transposeLeft = false } = Object(attributes) as { readonly transposeLeft?: boolean };
  switch (op.name) {
    case "linear":
      return 2 * sizeOf(shape) * (right?.shape[0] ?? 0);
    case "matmul":
    case "matmulEach":
      return 2 * sizeOf(shape) * (left?.shape.at(transposeLeft ? -2 : -1) ?? 0);
    case "convolve": // [..., inputs, outputs]
      return 2 * sizeOf(shape) * (right ? sizeOf(right.shape.slice(0, -1)) : 0);
    case "attention": // queries by keys, and that by values
      return 4 * sizeOf(shape) * (left?.shape.at(-2) ?? 0);
    default:
      return 0;
  }
}
