/**
 * One training step as one graph: batch, times, noise, probes, loss, gradient, clipping, optimizer, EMA, metrics and
 * the step counter, all on the device. The counter is also the counter of the random numbers, so a step is a function
 * of state alone: however runs are split, and wherever they resume, the bits are the same.
 */
import { gradient } from "../autodiff/vjp.ts";
import type { Graph, StateDeclaration, Update } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { flattenParameters, type Network, parameterLayout, parameterViews } from "../nn/network.ts";
import { equal, finite, increment, multiply, select, subtract, toFloat } from "../ops/arithmetic.ts";
import { sumAll } from "../ops/reduce.ts";
import { replaceRow } from "../ops/rows.ts";
import { concat, reshape } from "../ops/shape.ts";
import { constant, state } from "../ops/sources.ts";
import type { Optimizer } from "./adam.ts";
import { type BatchOptions, buildBatchLosses } from "./batch.ts";
import { clipByNorm, globalNorm } from "./clip.ts";
import { type Ema, updateEma } from "./ema.ts";

/** What is told of every training step: its losses, the global norm of the gradient before clipping, its learning rate. */
export const metricNames = ["loss", "velocityLoss", "divergenceLoss", "gradientNorm", "learningRate"] as const;
/** The name of one of a step's metrics: see {@link metricNames}. */
export type MetricName = (typeof metricNames)[number];

/** Rows of the metrics ring: the host must look at least once in so many steps to see every row. */
export const METRIC_ROWS = 1024;

export interface TrainStepOptions extends BatchOptions {
  readonly optimizer: Optimizer;
  readonly ema?: Ema;
  /** Largest global norm of the gradient; a longer one is scaled down to it. */
  readonly maximumGradientNorm?: number;
}

/** Numbers in a row of the metrics ring. */
export const METRIC_COLUMNS = metricNames.length + 1;

/** State that every training step keeps, whatever the options. */
export const trainState = {
  seed: { name: "seed", shape: [2], dtype: "u32" },
  step: { name: "step", shape: [1], dtype: "u32" },
  ok: { name: "ok", shape: [1], dtype: "f32" },
  metrics: { name: "metrics", shape: [METRIC_ROWS, METRIC_COLUMNS], dtype: "f32" },
} as const satisfies Record<string, StateDeclaration>;

/** The flat vector of all parameters of a network: state "parameters" [N]. */
export function parameterState(network: Network): StateDeclaration {
  return { name: "parameters", shape: [parameterLayout(network).total], dtype: "f32" };
}

/** The graph of one training step. */
export function buildTrainStep(options: TrainStepOptions): Graph {
  const { network, loss, optimizer } = options;
  const counter = state(trainState.step);
  const declared = parameterState(network);
  const layout = parameterLayout(network);
  const parameters = state(declared);
  const views = parameterViews(parameters, layout);
  const losses = buildBatchLosses(options, views, { seed: state(trainState.seed), counter });

  // The gradient of the flat vector is those of the tensors in the order they lie in: the planner writes it in place.
  const names = layout.entries.map(({ declaration }) => declaration.name);
  const gradients = gradient(
    losses.loss,
    names.map((name) => views.get(name) as Node),
  );
  const flat = flattenParameters(new Map(names.map((name, i) => [name, gradients[i] as Node])), layout);
  const norm = globalNorm(flat);
  const clipped =
    options.maximumGradientNorm === undefined ? flat : clipByNorm(flat, norm, options.maximumGradientNorm);

  const moments = optimizer.moments.map((name) => ({ name, shape: declared.shape, dtype: "f32" }) as const);
  const stepped = optimizer.update({
    parameters,
    gradient: clipped,
    step: toFloat(counter),
    moments: moments.map(state),
  });

  // Once a loss, a gradient or a new parameter is not finite, nothing that was learned changes any more: it stays the
  // last good state. Only the counter goes on; the host, which finds the first bad row of metrics, sets it back.
  const lossScalar = reshape(losses.loss, [1]);
  const all = multiply(multiply(finite(lossScalar), finite(norm)), finite(stepped.learningRate));
  const average = { name: "ema", shape: declared.shape, dtype: "f32" } as const;
  const averaged = options.ema && updateEma(options.ema, state(average), stepped.parameters);
  const learned = [stepped.parameters, ...stepped.moments, ...(averaged ? [averaged] : [])];
  const now = staysFinite(optimizer) ? all : multiply(all, allFinite(learned));
  const ok = multiply(state(trainState.ok), now);
  const guarded = (declaration: StateDeclaration, value: Node): Update => ({
    state: declaration,
    value: select(ok, value, state(declaration)),
  });

  const updates: Update[] = [
    guarded(declared, stepped.parameters),
    ...moments.map((declaration, i) => guarded(declaration, stepped.moments[i] as Node)),
  ];
  if (averaged) updates.push(guarded(average, averaged));
  // The row of a step that failed is written too: it says what was not finite.
  const row = concat(
    [
      lossScalar,
      reshape(losses.velocityLoss, [1]),
      reshape(losses.divergenceLoss ?? constant(0), [1]),
      norm,
      reshape(stepped.learningRate, [1]),
      now,
    ],
    0,
  );
  updates.push(
    { state: trainState.metrics, value: replaceRow(state(trainState.metrics), counter, row) },
    { state: trainState.ok, value: ok },
    { state: trainState.step, value: increment(counter) },
    ...(options.data.updates?.() ?? []),
  );
  return { name: `${loss.name}-step`, updates };
}

/** Parameters begin well below it, and no run has more than 2^32 steps. */
const LARGEST_PARAMETER = 1e38;

/** Whether no step of the optimizer can make a parameter infinite, as long as gradient and rate are finite. */
function staysFinite({ largestMove = Number.POSITIVE_INFINITY }: Optimizer): boolean {
  return largestMove * 2 ** 32 < LARGEST_PARAMETER;
}

/** 1 when all elements of all vectors are finite numbers, else 0; [1]. */
function allFinite(vectors: readonly Node[]): Node {
  const good = vectors.map(finite).reduce((a, b) => multiply(a, b));
  const bad = sumAll(subtract(1, good));
  return reshape(equal(bad, constant(0)), [1]);
}
