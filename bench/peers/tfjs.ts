/**
 * TensorFlow.js on the workload. As shipped its matmul's gradient multiplies transposed operands ten times slower than
 * transposing them first does; so the gradient is written here. It has no forward mode: the network's Jacobian-vector
 * product is written here too, in ops that it differentiates.
 */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import { eulerEvidence, solveStart } from "../euler.ts";
import { matmulEvidence, matmulOperands, operandShapes } from "../matmul.ts";
import {
  type Context,
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

export async function open({ backend, threads, gpu }: Context): Promise<Session> {
  if (backend === "webgpu") {
    if (!gpu) throw new NotOffered("WebGPU is not offered by this runtime");
    await import("@tensorflow/tfjs-backend-webgpu");
  }
  const wasm = backend === "wasm" ? await import("@tensorflow/tfjs-backend-wasm") : undefined;
  if (wasm) {
    wasm.setWasmPaths("/");
    wasm.setThreadsCount(threads);
    if (threads === 1) tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  }
  if (!(await tf.setBackend(backend))) throw new NotOffered(`TensorFlow.js has no ${backend} in this runtime`);
  await tf.ready();
  if (wasm && threads > 1 && wasm.getThreadsCount() !== threads) {
    throw new NotOffered(`TensorFlow.js took ${wasm.getThreadsCount()} threads, not ${threads}`);
  }
  return makeSession({
    version: versions.tfjs,
    device: backend,
    ceiling: async () => null,
    build: (task) => peerWork(task, { training: trainingWork, solve: solveWork, matmul: matmulWork }),
    close: () => {},
  });
}

interface Parameters {
  readonly weights: tf.Variable[];
  readonly biases: tf.Variable[];
}

function parametersOf({ weights, biases }: ReturnType<typeof makeWorkload>, width: number): Parameters {
  const layers = layersOf(width);
  return {
    weights: weights.map((w, i) => tf.variable(tf.tensor(w, layers.slice(i, i + 2)))),
    biases: biases.map((b) => tf.variable(tf.tensor(b, [b.length]))),
  };
}

const product = tf.customGrad((...inputs) => {
  const [a, b, save] = inputs as unknown as [tf.Tensor, tf.Tensor, (values: tf.Tensor[]) => void];
  save([a, b]);
  const gradFunc = (gradient: tf.Tensor, saved: tf.Tensor[]) => {
    const [left, right] = saved as [tf.Tensor, tf.Tensor];
    return [tf.matMul(gradient, tf.transpose(right)), tf.matMul(tf.transpose(left), gradient)];
  };
  return { value: tf.matMul(a, b), gradFunc };
});

const stopGradient = tf.customGrad((...inputs) => ({
  value: tf.clone(inputs[0] as tf.Tensor),
  gradFunc: (gradient) => tf.zerosLike(gradient),
}));

function forward({ weights, biases }: Parameters, input: tf.Tensor): tf.Tensor {
  return weights.reduce((h: tf.Tensor, w, layer) => {
    const a = tf.add(product(h, w), biases[layer] as tf.Tensor);
    return layer < weights.length - 1 ? tf.mul(a, tf.sigmoid(a)) : a;
  }, input);
}

/** v, and J z along the direction: silu'(a) = s (1 + a (1 - s)) = s + silu(a) (1 - s), s = sigmoid(a). */
function forwardWithTangent({ weights, biases }: Parameters, input: tf.Tensor, direction: tf.Tensor) {
  let [h, dh] = [input, direction];
  weights.forEach((w, layer) => {
    const a = tf.add(product(h, w), biases[layer] as tf.Tensor);
    const da = product(dh, w);
    const last = layer === weights.length - 1;
    const s = last ? undefined : tf.sigmoid(a);
    h = s ? tf.mul(a, s) : a;
    dh = s ? tf.mul(da, tf.add(s, tf.mul(h, tf.sub(1, s)))) : da;
  });
  return { v: h, jz: dh };
}

async function trainingWork({ workload, width, batch }: Task): Promise<Work> {
  const values = makeWorkload(width, batch);
  const parameters = parametersOf(values, width);
  const variables = [...parameters.weights, ...parameters.biases];
  const direction = Float32Array.from({ length: 3 * batch }, (_, i) =>
    i % 3 === 2 ? 0 : (values.z[2 * Math.floor(i / 3) + (i % 3)] as number),
  );
  const inputs = {
    xt: tf.tensor(values.xt, [batch, 3]),
    direction: tf.tensor(direction, [batch, 3]),
    u: tf.tensor(values.u, [batch, 2]),
    z: tf.tensor(values.z, [batch, 2]),
    dlogp: tf.tensor(values.dlogp, [batch, 2]),
    divu: tf.tensor(values.divu, [batch]),
    sigma: tf.tensor(values.sigma, [batch]),
  };
  const { xt, u, z, dlogp, divu, sigma } = inputs;
  const cfm = () => tf.mean(tf.square(tf.sub(forward(parameters, xt), u)));
  const fdm = () => {
    const { v, jz } = forwardWithTangent(parameters, xt, inputs.direction);
    const velocityLoss = tf.mean(tf.square(tf.sub(v, u)));
    const along = tf.mul(tf.sub(stopGradient(v), u), dlogp);
    const residual = tf.mul(sigma, tf.sub(tf.sum(tf.add(tf.mul(z, jz), along), 1), divu));
    return tf.add(velocityLoss, tf.mul(tf.mean(tf.square(residual)), divergenceWeight));
  };
  const { learningRate, beta1, beta2, epsilon } = adamOptions;
  const optimizer = tf.train.adam(learningRate, beta1, beta2, epsilon);
  const step = async () => {
    const loss = tf.tidy(() => {
      const { value, grads } = tf.variableGrads(workload === "cfm" ? cfm : fdm, variables);
      optimizer.applyGradients(grads);
      return value;
    });
    const [value] = await loss.data(); // comes when all that was submitted before is done
    loss.dispose();
    return value as number;
  };
  const losses: number[] = [];
  for (let i = 0; i < 4; i++) losses.push(await step());
  return {
    ...trainingUnits,
    evidence: { lossBefore: losses[0] ?? null, lossAfter: losses[3] ?? null, deviation: null },
    async run(units) {
      for (let i = 0; i < units; i++) await step();
    },
    dispose() {
      tf.dispose([variables, Object.values(inputs)]);
      optimizer.dispose();
    },
  };
}

async function solveWork({ workload, width, batch: count }: Task): Promise<Work> {
  const values = makeWorkload(width, 1, count);
  const parameters = parametersOf(values, width);
  const { start, probes, directions } = solveStart(values);
  const noise = tf.tensor(start, [count, 2]);
  const z = tf.tensor(probes, [count, 2]);
  const direction = tf.tensor(directions, [count, 3]);
  const size = 1 / eulerSteps;
  const solve = async (steps: number) => {
    let [x, density] = [tf.clone(noise), tf.zeros([count])];
    for (let i = 0; i < steps; i++) {
      const before = [x, density];
      [x, density] = tf.tidy(() => {
        const input = tf.concat([x, tf.fill([count, 1], i * size)], 1);
        if (workload === "sample") return [tf.add(x, tf.mul(forward(parameters, input), size)), tf.clone(density)];
        const { v, jz } = forwardWithTangent(parameters, input, direction);
        const gain = tf.mul(tf.sum(tf.mul(z, jz), 1), size);
        return [tf.add(x, tf.mul(v, size)), tf.sub(density, gain)];
      });
      tf.dispose(before);
    }
    const result = { points: await x.data(), densities: await density.data() };
    tf.dispose([x, density]);
    return result;
  };
  const evidence = await eulerEvidence(values, workload, solve);
  return {
    ...solveUnits,
    evidence,
    run: async (units) => {
      await solve(units);
    },
    dispose: () => tf.dispose([parameters.weights, parameters.biases, noise, z, direction]),
  };
}

async function matmulWork({ shape }: Task): Promise<Work> {
  if (!shape) throw new RangeError("a matmul without its shape");
  const sizes = operandShapes(shape);
  const operands = matmulOperands(shape);
  const left = tf.tensor(operands.left, sizes.left);
  const right = tf.tensor(operands.right, sizes.right);
  const multiply = () =>
    tf.tidy(() =>
      tf.matMul(shape.transposeLeft ? tf.transpose(left) : left, shape.transposeRight ? tf.transpose(right) : right),
    );
  const run = async (units: number) => {
    for (let i = 1; i < units; i++) multiply().dispose();
    const last = multiply();
    const data = await last.data();
    last.dispose();
    return data;
  };
  const deviation = matmulEvidence(shape, operands.left, operands.right, await run(1));
  return {
    ...matmulUnits,
    evidence: { lossBefore: null, lossAfter: null, deviation },
    run: async (units) => {
      await run(units);
    },
    dispose: () => tf.dispose([left, right]),
  };
}
