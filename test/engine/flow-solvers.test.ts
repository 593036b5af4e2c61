// Solvers of divflow/flows in a model: here and in a worker, in many chunks, with times within their steps.
import { afterAll, describe, expect, test } from "vitest";
import { adaptiveHeun, eulerMaruyama, stochasticHeun, tsit5 } from "../../src/flows.ts";
import { ConfigError, createRuntime, dopri5, load } from "../../src/index.ts";
import { smallOptions, trainSteps } from "./small.ts";
import { remoteEngine } from "./worker.ts";

const runtime = await createRuntime({ backend: "wasm" });
const remote = await remoteEngine("wasm");
afterAll(() => {
  runtime.dispose();
  remote[Symbol.dispose]();
});
const trainer = await runtime.createTrainer(smallOptions());
await trainSteps(trainer, 30);
const { model } = trainer;
const there = await load(remote.runtime, await trainer.checkpoint());

const solvers = {
  tsit5: tsit5({ relativeTolerance: 1e-4, absoluteTolerance: 1e-4 }),
  "adaptive-heun": adaptiveHeun({ relativeTolerance: 1e-3, absoluteTolerance: 1e-3 }),
  "euler-maruyama": eulerMaruyama({ steps: 6, diffusion: (t) => 1 - t }),
  "stochastic-heun": stochasticHeun({ steps: 5 }),
};

describe.each(Object.entries(solvers))("%s", (name, solver) => {
  const asked = { count: 5000, solver, seed: 4, times: [0, 0.3, 0.31, 1] };

  test("gives the same bits in a worker, and again", { timeout: 60_000 }, async () => {
    const [first, again, other] = [await model.sample(asked), await model.sample(asked), await there.sample(asked)];
    expect(again.values).toEqual(first.values);
    expect(other.values).toEqual(first.values);
    expect(other.trajectory).toEqual(first.trajectory);
    const { values = [] } = first.trajectory ?? {};
    expect(values.slice(-first.values.length)).toEqual(first.values);
  });

  test("gives other points to other seeds, and to each batch of them", async () => {
    const { values } = await model.sample(asked);
    expect((await model.sample({ ...asked, seed: 5 })).values).not.toEqual(values);
    const [start, end] = [values.slice(0, 2000), values.slice(5000, 7000)];
    expect(end).not.toEqual(start);
    if (!name.includes("-") || name === "adaptive-heun") return;
    // From one noise the way differs by the noise of its steps, from batch to batch.
    const noise = new Float32Array(2 * 5000).fill(0.3);
    const from = (await model.sample({ solver, seed: 4, noise })).values;
    const distinct = new Set(from);
    expect(distinct.size).toBeGreaterThan(9000);
  });
});

test("tsit5 agrees with dopri5, on the way and in log-density", async () => {
  const tight = { relativeTolerance: 1e-6, absoluteTolerance: 1e-6 };
  const times = Array.from({ length: 21 }, (_, i) => i / 20);
  const ask = (solver: typeof solvers.tsit5) => model.sample({ count: 50, solver, times, logDensity: true });
  const [ours, theirs] = [await ask(tsit5(tight)), await ask(dopri5(tight))];
  ours.trajectory?.values.forEach((value, i) => {
    expect(value).toBeCloseTo(theirs.trajectory?.values[i] as number, 4);
  });
  ours.logDensity?.values.forEach((value, i) => {
    expect(value).toBeCloseTo(theirs.logDensity?.values[i] as number, 4);
  });
});

test("tsit5 begins anew after a solve that ended within", async () => {
  const asked = { count: 40, solver: solvers.tsit5, times: [0, 0.3, 0.31, 0.9, 1] };
  const whole = await model.sample(asked);
  let beyond = 0;
  const half = model.sample({
    ...asked,
    onProgress: (done, total) => {
      if (done > 0.3 * total && ++beyond === 2) throw new Error("enough"); // the first is told before points are read within
    },
  });
  await expect(half).rejects.toThrow("enough");
  expect((await model.sample(asked)).trajectory).toEqual(whole.trajectory);
});

test.each([solvers["euler-maruyama"], solvers["stochastic-heun"]])(
  "$name has no log-densities and no way back",
  async (solver) => {
    await expect(model.logDensity([[0, 0]], { solver })).rejects.toThrow(ConfigError);
    await expect(model.encode([[0, 0]], { solver })).rejects.toThrow(/solver .*: got "a solve backwards"/);
    await expect(there.sample({ count: 1, solver, logDensity: true })).rejects.toThrow(
      /got "a log-density to compute"/,
    );
  },
);
