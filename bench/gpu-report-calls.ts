/** The calls of the report that are no products: reductions, random numbers, moves, an optimizer, whole networks. */
import { type ReduceShader, reduceShaders } from "../src/backends/webgpu/reduce-dispatches.ts";
import { mlpFlow, mlpFlowTiling } from "../src/kernels/mlp-flow.ts";
import type { ElementwiseLoad, KernelCall } from "../src/schedule/program.ts";
import { constant, fromLoad, fromStep, place, step } from "./gpu-report-operands.ts";

/** What a call does at its shape. */
export interface Work {
  readonly flops: number;
  /** From and to global memory, by every workgroup by itself. */
  readonly bytes: number;
}

export interface OtherCall {
  readonly name: string;
  readonly shape: string;
  readonly call: KernelCall;
  readonly work: Work;
  readonly reduce?: ReduceShader;
}

function otherCall(
  shape: string,
  work: Work,
  call: Pick<KernelCall, "kernel"> & Partial<KernelCall>,
  name = call.kernel,
): OtherCall {
  return { name, shape, work, call: { label: name, parameters: {}, bindings: {}, flops: 0, bytes: 0, ...call } };
}

export function otherCalls(): OtherCall[] {
  const parameters = 788_992; // 4 hidden layers of 512
  return [...reductions(parameters), ...draws(), ...moves(), adam(parameters), ...flows()];
}

function reductions(parameters: number): OtherCall[] {
  const sizes: readonly (readonly [kind: number, outer: number, reduced: number, inner: number])[] = [
    [0, 8192, 2, 1],
    [0, 512, 512, 1],
    [0, 1, 512, 512],
    [1, 512, 512, 1],
    [2, 1, parameters, 1],
  ];
  const all = reduceShaders.flatMap((reduce) => sizes.map((size) => ({ reduce, size })));
  return all.map(({ reduce, size: [kind, outer, reduced, inner] }) => {
    const count = outer * reduced * inner;
    const bindings = { in: place("in", count), out: place("out", outer * inner) };
    const call = { kernel: "reduce", parameters: { outer, reduced, inner, kind, scale: 1 }, bindings };
    const shape = `${outer} x ${reduced} x ${inner}`;
    const name = `${reduce}, ${["sum", "max", "sumOfSquares"][kind]}, ${shape}`;
    return { ...otherCall(shape, { flops: count, bytes: 4 * (count + outer * inner) }, call, name), reduce };
  });
}

function draws(): OtherCall[] {
  const count = 1024;
  return ["bits", "uniform", "normal", "rademacher", "index"].map((kind, k) => {
    const parameters = { count, kind: k, stream: 1, bound: 1 };
    const bindings = { seed: place("seed", 2), counter: place("counter", 1), out: place("out", count) };
    const flops = kind === "normal" ? 40 * count : 0; // the bits are integer arithmetic
    const call = { kernel: "random", parameters, bindings };
    return otherCall(`${count} numbers`, { flops, bytes: 4 * count }, call, `random, ${kind}`);
  });
}

function moves(): OtherCall[] {
  const along = (side: string) => ({
    [`${side}Start`]: 0,
    [`${side}Stride0`]: 0,
    [`${side}Stride1`]: 0,
    [`${side}Stride2`]: 3,
    [`${side}Stride3`]: 1,
  });
  const copied = { size0: 1, size1: 1, size2: 512, size3: 3, ...along("source"), ...along("target") };
  return [
    otherCall(
      "512 x 3",
      { flops: 0, bytes: 8 * 1536 },
      {
        kernel: "copy",
        parameters: copied,
        bindings: { source: place("in", 1536), target: place("out", 1536) },
      },
    ),
    otherCall(
      "512 rows of 2",
      { flops: 0, bytes: 8 * 1024 + 4 * 512 },
      {
        kernel: "gather",
        parameters: { count: 512, width: 2, rows: 4096 },
        bindings: { table: place("table", 8192), indices: place("indices", 512), out: place("out", 1024) },
      },
    ),
    otherCall(
      "512 rows of 2 to 64",
      { flops: 1024, bytes: 4 * (128 * 512 + 1024 + 128) },
      {
        kernel: "scatterAdd",
        parameters: { count: 512, width: 2, rows: 64 },
        bindings: { values: place("values", 1024), indices: place("indices", 512), out: place("out", 128) },
      },
    ),
    otherCall(
      "a row of 64",
      { flops: 0, bytes: 8 * 64 },
      {
        kernel: "replaceRow",
        parameters: { rows: 64, width: 64 },
        bindings: { index: place("index", 1), row: place("row", 64), table: place("table", 4096) },
      },
    ),
  ];
}

/** An optimizer's chain: moments, step, and a select that keeps the old values after a bad step. */
function adam(count: number): OtherCall {
  const inOrder = (name: string): ElementwiseLoad => {
    return { placement: place(name, count), divisor: 1, modulus: count, dtype: "f32" };
  };
  const scalar = (name: string): ElementwiseLoad => {
    return { placement: place(name, 1), divisor: 1, modulus: 1, dtype: "f32" };
  };
  const states = ["parameters", "first", "second"];
  const steps = [
    step("multiply", constant(0.9), fromLoad(1)),
    step("multiply", constant(0.1), fromLoad(3)),
    step("add", fromStep(0), fromStep(1)),
    step("multiply", fromLoad(3), fromLoad(3)),
    step("multiply", constant(0.999), fromLoad(2)),
    step("multiply", constant(0.001), fromStep(3)),
    step("add", fromStep(4), fromStep(5)),
    step("sqrt", fromStep(6)),
    step("add", fromStep(7), constant(1e-8)),
    step("divide", fromStep(2), fromStep(8)),
    step("multiply", fromLoad(4), fromStep(9)),
    step("subtract", fromLoad(0), fromStep(10)),
    step("select", fromLoad(5), fromStep(11), fromLoad(0)),
    step("select", fromLoad(5), fromStep(2), fromLoad(1)),
    step("select", fromLoad(5), fromStep(6), fromLoad(2)),
  ];
  const chain = {
    count,
    loads: [...states.map(inOrder), inOrder("gradient"), scalar("rate"), scalar("finite")],
    steps,
    stores: states.map((name, k) => ({
      placement: place(name, count),
      source: fromStep(12 + k),
      dtype: "f32" as const,
    })),
  };
  const work = { flops: 12 * count, bytes: 28 * count };
  return otherCall(`${count} parameters`, work, { kernel: "elementwise", chain }, "elementwise, Adam's chain");
}

/** 100 Euler steps of 4096 points in 2 dimensions through 4 hidden layers of 128, without and with 1 to 3 tangents. */
function flows(): OtherCall[] {
  const [rows, dimension, widest, steps] = [4096, 2, 128, 100];
  const widths = [dimension + 1, ...Array.from({ length: 4 }, () => widest), dimension];
  const layers = widths.slice(1).map((outputs, k) => ({ inputs: widths[k] as number, outputs }));
  const weights = layers.reduce((sum, { inputs, outputs }) => sum + inputs * outputs, 0);
  const total = weights + layers.reduce((sum, { outputs }) => sum + outputs, 0);
  return [0, 1, 2, 3].map((probes) => {
    const tiling = mlpFlowTiling({ dimension, widest, probes });
    const parameters = {
      ...{ rows, dimension, layers: layers.length, activation: 0, stages: 1, probes, exact: 0, ...tiling },
      ...{ a1: 0, a2: 0, a3: 0, b0: 1, b1: 0, b2: 0, b3: 0, c1: 0, c2: 0, c3: 0 },
    };
    const flow = 2 * rows * (dimension + probes);
    const directions = rows * dimension * probes;
    const bindings = {
      ...{ parameters: place("parameters", total), vectors: place("parameters", total) },
      ...{ layers: place("layers", 3 * layers.length), times: place("times", steps + 1), range: place("range", 2) },
      ...{ probe: place("probe", Math.max(1, directions)), flow: place("flow", flow) },
    };
    const workgroups = mlpFlow.workgroups(parameters).reduce((product, count) => product * count, 1);
    const work = {
      flops: 2 * weights * rows * (1 + probes) * steps,
      bytes: 4 * (total * steps * workgroups + 2 * flow + directions),
    };
    const shape = `${steps} steps of ${rows} points, 4 x ${widest}, ${probes} tangents`;
    return otherCall(shape, work, { kernel: "mlpFlow", parameters, bindings }, `mlpFlow, ${probes} tangents`);
  });
}
