/**
 * jax-js on the workload. A whole training step (loss, gradients, Adam) and an Euler step are one `jit` each, parameters
 * and inputs stay on the device. Adam is written here, as jax-js's own optimizers are not published.
 *
 * Arrays are counted: a function owns its arguments, so each is used once, or by `ref` and once.
 */
import * as jax from "@jax-js/jax";
import { eulerEvidence, solveStart } from "../euler.ts";
import { matmulEvidence, matmulOperands, operandShapes } from "../matmul.ts";
import {
  type Context,
  type Evidence,
  makeSession,
  matmulUnits,
  NotOffered,
  peerWork,
  type Session,
  solveUnits,
  type Task,
  trainingUnits,
  type Work,
} from "../session.ts";
import { adamOptions, divergenceWeight, eulerSteps, layersOf, makeWorkload } from "../workload.mjs";
import { versions } from "./versions.ts";

const { numpy: np } = jax;

/** Products before a wait. */
const MATMULS_AT_ONCE = 8;

type Parameters = { weights: jax.Array[]; biases: jax.Array[] };
type Inputs = Record<"xt" | "u" | "z" | "direction" | "dlogp" | "divu" | "sigma", jax.Array>;
type Moments = { first: Parameters; second: Parameters; power1: jax.Array; power2: jax.Array };

export async function open({ backend, threads, gpu }: Context): Promise<Session> {
  if (backend === "webgpu" && !gpu) throw new NotOffered("WebGPU is not offered by this runtime");
  if (threads > 1 && typeof Worker === "undefined") throw new NotOffered("jax-js has no threads in this runtime");
  const startedWorkers = backend === "wasm" && typeof Worker !== "undefined" ? countWorkers() : undefined;
  const found = await jax.init(backend);
  if (!found.includes(backend)) throw new NotOffered(`jax-js has no ${backend} in this runtime`);
  jax.defaultDevice(backend);
  return makeSession({
    version: versions.jax,
    device: backend,
    ceiling: async () => null,
    build: async (task) => {
      const work = await peerWork(task, { training: trainingWork, solve: solveWork, matmul: matmulWork });
      const workers = startedWorkers?.() ?? threads;
      if (workers === threads) return work;
      work.dispose();
      throw new Error(`jax-js works with ${workers} workers, not ${threads}`);
    },
    close: () => {},
  });
}

/** Counts the workers that are started from now on: jax-js has no setting for them, and its first kernel starts all. */
function countWorkers(): () => number {
  let count = 0;
  const { Worker } = globalThis;
  globalThis.Worker = class extends Worker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      count++;
    }
  };
  return () => count;
}

function parametersOf({ weights, biases }: ReturnType<typeof makeWorkload>, width: number): Parameters {
  const layers = layersOf(width);
  return {
    weights: weights.map((w, i) => np.array(w, { shape: layers.slice(i, i + 2) })),
    biases: biases.map((b) => np.array(b, { shape: [b.length] })),
  };
}

function forward({ weights, biases }: Parameters, input: jax.Array): jax.Array {
  return weights.reduce((h, w, layer) => {
    const a = np.matmul(h, w).add(biases[layer] as jax.Array);
    return layer < weights.length - 1 ? jax.nn.silu(a) : a;
  }, input);
}

function cfmLoss(parameters: Parameters, { xt, u }: Pick<Inputs, "xt" | "u">): jax.Array {
  return np.mean(np.square(forward(parameters, xt).sub(u)));
}

function fdmLoss(parameters: Parameters, { xt, u, z, direction, dlogp, divu, sigma }: Inputs): jax.Array {
  const [v, jz] = jax.jvp((input) => forward(parameters, input), [xt], [direction]);
  const velocityLoss = np.mean(np.square(v.ref.sub(u.ref)));
  const along = jax.lax.stopGradient(v).sub(u).mul(dlogp);
  const residual = sigma.mul(np.sum(z.mul(jz).add(along), 1).sub(divu));
  return velocityLoss.add(np.mean(np.square(residual)).mul(divergenceWeight));
}

/** One Adam step of every parameter. */
function adam(parameters: Parameters, gradients: Parameters, { first, second, power1, power2 }: Moments) {
  const { learningRate, beta1, beta2, epsilon } = adamOptions;
  const [next1, next2] = [power1.mul(beta1), power2.mul(beta2)];
  const [correction1, correction2] = [next1.ref, next2.ref].map((power) => power.neg().add(1)) as [
    jax.Array,
    jax.Array,
  ];
  const move = (kind: keyof Parameters) =>
    parameters[kind].map((parameter, i) => {
      const gradient = gradients[kind][i] as jax.Array;
      const m = (first[kind][i] as jax.Array).mul(beta1).add(gradient.ref.mul(1 - beta1));
      const v = (second[kind][i] as jax.Array).mul(beta2).add(np.square(gradient).mul(1 - beta2));
      const size = np.sqrt(v.ref.div(correction2.ref)).add(epsilon);
      const moved = parameter.sub(m.ref.div(correction1.ref).div(size).mul(learningRate));
      return { moved, m, v };
    });
  const [weights, biases] = [move("weights"), move("biases")];
  jax.tree.dispose([correction1, correction2]);
  const collect = (key: "moved" | "m" | "v"): Parameters => ({
    weights: weights.map((entry) => entry[key]),
    biases: biases.map((entry) => entry[key]),
  });
  return {
    parameters: collect("moved"),
    moments: { first: collect("m"), second: collect("v"), power1: next1, power2: next2 },
  };
}

function zerosOf({ weights, biases }: ReturnType<typeof makeWorkload>, width: number): Parameters {
  const layers = layersOf(width);
  return {
    weights: weights.map((_, i) => np.zeros(layers.slice(i, i + 2))),
    biases: biases.map((b) => np.zeros([b.length])),
  };
}

async function trainingWork({ workload, width, batch }: Task): Promise<Work> {
  const values = makeWorkload(width, batch);
  const { xt, u, z, dlogp, divu, sigma } = values;
  const rows = (data: Float32Array, columns: number) => np.array(data, { shape: [batch, columns] });
  const column = (data: Float32Array) => np.array(data, { shape: [batch] });
  const direction = Float32Array.from({ length: 3 * batch }, (_, i) =>
    i % 3 === 2 ? 0 : (z[2 * Math.floor(i / 3) + (i % 3)] as number),
  );
  const inputs: Inputs = {
    xt: rows(xt, 3),
    u: rows(u, 2),
    z: rows(z, 2),
    direction: rows(direction, 3),
    dlogp: rows(dlogp, 2),
    divu: column(divu),
    sigma: column(sigma),
  };
  const used = workload === "cfm" ? { xt: inputs.xt, u: inputs.u } : inputs;
  const lossAndGradient = jax.valueAndGrad(workload === "cfm" ? cfmLoss : fdmLoss);
  const step = jax.jit((parameters: Parameters, moments: Moments, given: Inputs) => {
    const [loss, gradients] = lossAndGradient(jax.tree.ref(parameters), given);
    return { loss, ...adam(parameters, gradients, moments) };
  });

  let parameters = parametersOf(values, width);
  let moments: Moments = {
    first: zerosOf(values, width),
    second: zerosOf(values, width),
    power1: np.array(Float32Array.of(1), { shape: [] }),
    power2: np.array(Float32Array.of(1), { shape: [] }),
  };
  const advance = async () => {
    const next = step(parameters, moments, jax.tree.ref(used) as Inputs);
    ({ parameters, moments } = next);
    await jax.blockUntilReady(next);
    return next.loss;
  };
  const losses: number[] = [];
  for (let i = 0; i < 4; i++) losses.push((await (await advance()).data())[0] as number);
  return {
    ...trainingUnits,
    evidence: { lossBefore: losses[0] ?? null, lossAfter: losses[3] ?? null, deviation: null },
    async run(units) {
      for (let i = 0; i < units; i++) (await advance()).dispose();
    },
    dispose() {
      jax.tree.dispose([parameters, moments, inputs]);
      step.dispose();
    },
  };
}

async function solveWork({ workload, width, batch: count }: Task): Promise<Work> {
  const values = makeWorkload(width, 1, count);
  const { start, probes, directions } = solveStart(values);
  const parameters = parametersOf(values, width);
  const probe = np.array(probes, { shape: [count, 2] });
  const direction = np.array(directions, { shape: [count, 3] });
  const size = 1 / eulerSteps;
  const input = (x: jax.Array, t: jax.Array) => np.concatenate([x, np.broadcastTo(t, [count, 1])], 1);
  const sampleStep = jax.jit((given: Parameters, x: jax.Array, t: jax.Array) => {
    const v = forward(given, input(x.ref, t.ref));
    return { x: x.add(v.mul(size)), t: t.add(size) };
  });
  const densityStep = jax.jit(
    (given: Parameters, x: jax.Array, t: jax.Array, d: jax.Array, z: jax.Array, along: jax.Array) => {
      const [v, jz] = jax.jvp((at) => forward(given, at), [input(x.ref, t.ref)], [along]);
      return { x: x.add(v.mul(size)), t: t.add(size), d: d.sub(np.sum(z.mul(jz), 1).mul(size)) };
    },
  );
  const solve = async (steps: number) => {
    let x = np.array(start, { shape: [count, 2] });
    let t = np.zeros([1, 1]);
    let d = np.zeros([count]);
    for (let i = 0; i < steps; i++) {
      const given = jax.tree.ref(parameters);
      if (workload === "sample") ({ x, t } = sampleStep(given, x, t));
      else ({ x, t, d } = densityStep(given, x, t, d, probe.ref, direction.ref));
    }
    const [points, densities] = [await x.data(), await d.data()];
    t.dispose();
    return { points, densities };
  };
  const evidence: Evidence = await eulerEvidence(values, workload, async (steps) => solve(steps));
  return {
    ...solveUnits,
    evidence,
    run: async (units) => {
      await solve(units);
    },
    dispose() {
      jax.tree.dispose([parameters, probe, direction]);
      sampleStep.dispose();
      densityStep.dispose();
    },
  };
}

async function matmulWork({ shape }: Task): Promise<Work> {
  if (!shape) throw new RangeError("a matmul without its shape");
  const sizes = operandShapes(shape);
  const operands = matmulOperands(shape);
  const left = np.array(operands.left, { shape: sizes.left });
  const right = np.array(operands.right, { shape: sizes.right });
  const product = jax.jit((a: jax.Array, b: jax.Array) =>
    np.matmul(shape.transposeLeft ? a.transpose() : a, shape.transposeRight ? b.transpose() : b),
  );
  // What is given away before it is waited for is never computed; a few at a time bound the memory.
  const run = async (units: number) => {
    for (let done = 0; done < units; done += MATMULS_AT_ONCE) {
      const count = Math.min(MATMULS_AT_ONCE, units - done);
      const results = Array.from({ length: count }, () => product(left.ref, right.ref));
      await jax.blockUntilReady(results);
      jax.tree.dispose(results);
    }
  };
  const result = await product(left.ref, right.ref).data();
  const deviation = matmulEvidence(shape, operands.left, operands.right, result);
  return {
    ...matmulUnits,
    evidence: { lossBefore: null, lossAfter: null, deviation },
    run,
    dispose() {
      jax.tree.dispose([left, right]);
      product.dispose();
    },
  };
}
