// The suggested weight of a divergence term: what it is made of, what it does not depend on, and what it refuses.
import { expect, test } from "vitest";
import { hutchPlusPlus, type SuggestOptions, suggestDivergenceWeight } from "../../src/flows.ts";
import { ConfigError, cfm, fdm, type Loss, type Runtime } from "../../src/index.ts";
import { smallOptions, trainSteps, withRuntime } from "./small.ts";
import { remoteEngine } from "./worker.ts";

const how: SuggestOptions = { steps: 9, looks: 3, batches: 2 };
const suggest = (runtime: Runtime, loss: Loss, more: SuggestOptions = {}) =>
  suggestDivergenceWeight(runtime, smallOptions({ loss }), { ...how, ...more });

test("it is the balance times the median ratio of both gradients' norms, whatever the loss's own weights", async () => {
  await withRuntime("wasm", async (runtime) => {
    const { weight, looks } = await suggest(runtime, fdm());
    expect(looks.map(({ step }) => step)).toEqual([3, 6, 9]);
    const ratios = looks.map(({ velocity, divergence }) => velocity / divergence).sort((a, b) => a - b);
    expect(weight).toBeCloseTo(0.2 * ratios[1], 12);
    expect((await suggest(runtime, fdm({ divergence: 7, velocityWeight: 3 }))).weight).toBe(weight);
    expect((await suggest(runtime, fdm(), { balance: 0.4 })).weight).toBeCloseTo(2 * weight, 12);
    expect((await suggest(runtime, fdm({ form: "slice" }))).weight).not.toBe(weight);
    expect((await suggest(runtime, hutchPlusPlus())).weight).toBeGreaterThan(0);

    const trainer = await runtime.createTrainer(smallOptions({ loss: cfm() }));
    const norms = (await trainSteps(trainer, 9)).map(({ gradientNorm }) => gradientNorm);
    looks.forEach(({ velocity }, i) => {
      const last = norms.slice(3 * i + 1, 3 * i + 3);
      expect(velocity).toBeCloseTo(Math.sqrt((last[0] ** 2 + last[1] ** 2) / 2), 12);
    });
    // The divergence term alone, at the parameters of the last look, by the batches that a trainer draws first.
    const alone = await runtime.createTrainer(
      smallOptions({ loss: fdm({ divergence: 1, velocityWeight: 1e-30 }), initial: trainer.model, batchSize: 8 }),
    );
    const [{ gradientNorm }] = await trainSteps(alone, 1);
    expect(gradientNorm / looks[2].divergence).toBeGreaterThan(0.2);
    expect(gradientNorm / looks[2].divergence).toBeLessThan(2 ** 0.5 + 1e-6); // a mean of its square and another
  });
});

test("an engine in a worker suggests the same, and nothing stays on the device", async () => {
  const here = await withRuntime("wasm", (runtime) => suggest(runtime, fdm()));
  using engine = await remoteEngine("wasm");
  (await engine.runtime.createTrainer(smallOptions())).dispose();
  const before = await engine.runtime.memory();
  expect(await suggest(engine.runtime, fdm())).toEqual(here);
  expect((await engine.runtime.memory()).buffers).toBe(before.buffers);
});

test("what has no divergence term, and options out of range, are refused", async () => {
  await withRuntime("reference", async (runtime) => {
    const refused = async (loss: Loss, more: SuggestOptions, message: string) => {
      const given = suggest(runtime, loss, more);
      await expect(given).rejects.toThrow(ConfigError);
      await expect(given).rejects.toThrow(message);
    };
    await refused(cfm(), {}, "loss of suggestDivergenceWeight: got ");
    await refused(fdm(), { steps: 0 }, "steps of suggestDivergenceWeight: got 0");
    await refused(fdm(), { looks: 10 }, "looks of suggestDivergenceWeight: got 10");
    await refused(fdm(), { batches: 0 }, "batches of suggestDivergenceWeight: got 0");
    await refused(fdm(), { balance: 0 }, "balance of suggestDivergenceWeight: got 0");
    await refused(fdm(), { often: 2 } as SuggestOptions, "options of suggestDivergenceWeight: got ");
    await expect(suggestDivergenceWeight(undefined as never, smallOptions())).rejects.toThrow("runtime: got ");
  });
});
