// The divergence term on each k-th step: which steps have it, what they cost, that runs may be cut anywhere, files resumed and
// workers used without a bit's difference, and that k steps weigh it as k steps with it do.
import { expect, test } from "vitest";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { hutchPlusPlus, weighted } from "../../src/flows.ts";
import { cfm, fdm, type Loss, paper2d, type Runtime, resume } from "../../src/index.ts";
import { add, sin } from "../../src/ops/arithmetic.ts";
import { compile } from "../../src/schedule/compile.ts";
import { adam } from "../../src/train/adam.ts";
import { buildTrainStep } from "../../src/train/step.ts";
import { numbers, valuesOf } from "../flow/evaluate.ts";
import { limitsByName } from "../schedule/limits.ts";
import { smallOptions, trainSteps, withRuntime } from "./small.ts";
import { remoteEngine } from "./worker.ts";

const EVERY = 3;
const sparse = (loss: Loss = fdm({ divergence: 0.3 })) => weighted(loss, { every: EVERY, times: "even" });

test.each<[string, Loss]>([
  ["fdm", fdm({ divergence: 0.3 })],
  ["paper-2d", paper2d({ divergence: 0.3 })],
  ["hutch++", hutchPlusPlus({ divergence: 0.3 })],
])("%s: k steps weigh the term as k steps with it", (_, loss) => {
  const build = (one: Loss) => {
    const points = (f: (i: number) => number) =>
      numbers(
        Float64Array.from({ length: 8 }, (_, i) => f(i)),
        [4, 2],
      );
    const terms = one.build({
      network: (x, t) => sin(add(x, t)),
      ...{ path: condOT(), x0: points(Math.sin), x1: points(Math.cos), t: numbers([0.1, 0.3, 0.5, 0.8], [4, 1]) },
      random: (_kind, shape) =>
        numbers(
          Float64Array.from({ length: shape[0] * shape[1] }, (_, i) => (i % 3 ? 1 : -1)),
          shape,
        ),
    });
    return valuesOf([terms.loss])[0][0];
  };
  const { phases, ...whole } = weighted(loss, { every: EVERY, by: "noise" });
  expect(phases?.every).toBe(EVERY);
  const mean = (build(phases?.first as Loss) + (EVERY - 1) * build(phases?.others as Loss)) / EVERY;
  expect(mean / build(whole)).toBeCloseTo(1, 12);
  expect(build(whole)).toBe(build(weighted(loss, { by: "noise" })));
});

test("steps without it are those of the velocity's loss alone", () => {
  const { network, data, path } = smallOptions();
  const calls = (loss: Loss) => {
    const program = compile(
      buildTrainStep({ network, data, path, loss, optimizer: adam(), batchSize: 8 }),
      Object.values(limitsByName)[0],
    );
    return [program.calls.length, program.calls.reduce((sum, { flops }) => sum + flops, 0)];
  };
  const { phases } = weighted(fdm(), { every: 2 });
  expect(calls(phases?.others as Loss)).toEqual(calls(cfm()));
  expect(calls(phases?.first as Loss)[1]).toBeGreaterThan(1.5 * calls(cfm())[1]);
});

async function everything(runtime: Runtime) {
  const trainer = await runtime.createTrainer(smallOptions({ loss: sparse() }));
  const rows = await trainSteps(trainer, 8);
  const bytes = await trainer.checkpoint();
  return { rows, bytes };
}

test.each(["wasm", "reference"] as const)("on %s steps 1, 4, 7 have it, however a run is cut", async (backend) => {
  await withRuntime(backend, async (runtime) => {
    const { rows, bytes } = await everything(runtime);
    expect(rows.map(({ divergenceLoss }) => divergenceLoss > 0)).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8].map((step) => step % EVERY === 1),
    );
    const cut = await runtime.createTrainer(smallOptions({ loss: sparse() }));
    const pieces = [...(await trainSteps(cut, 2)), ...(await trainSteps(cut, 3, 1))];
    const resumed = await resume(runtime, await cut.checkpoint());
    expect([...pieces, ...(await trainSteps(resumed, 3))]).toEqual(rows);
    expect(await resumed.checkpoint()).toEqual(bytes);
    expect(await trainSteps(cut, 3)).toEqual(rows.slice(5));
  });
});

test("a worker's steps are the same, bit for bit", async () => {
  const here = await withRuntime("wasm", everything);
  using engine = await remoteEngine("wasm");
  expect(await everything(engine.runtime)).toEqual(here);
});

test("plain steps and every first one are the loss itself; what has no such term is refused", async () => {
  expect(weighted(fdm(), { every: 1 }).phases).toBeUndefined();
  expect(() => weighted(cfm(), { every: 2 })).toThrow('every of weighted: got "2, beside cfm"');
  expect(() => weighted(fdm({ divergence: 0 }), { every: 2 })).toThrow(
    'every of weighted: got "2, beside fdm with divergence 0"',
  );
  expect(() => weighted(fdm(), { every: 0 })).toThrow("every of weighted: got 0");
});
