/** The one-step map beside the right model: who teaches it, what it learns, and how far its log-densities are said to be off. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Look, News, Settings } from "../../demo/messages.ts";
import { cellsOf, levelOf, meterWords, rangeOf } from "../../demo/page/one-step.ts";
import type { Taught } from "../../demo/train/one-step.ts";
import { createRuntime, type Model, type Runtime, rk4 } from "../../src/index.ts";

vi.mock("divflow", () => import("../../src/index.ts"));
vi.mock("divflow/flows", () => import("../../src/flows.ts"));
const { learnedOf } = await import("../../demo/train/data.ts");
const { kept, newEntrant, stepOf } = await import("../../demo/train/models.ts");
const { noiseOf } = await import("../../demo/train/noise.ts");
const { meterRow, OneStep } = await import("../../demo/train/one-step.ts");

const settings: Settings = {
  data: { kind: "ink", title: "two", points: [-1, 0, 1, 0.5], deviation: 0.5 },
  ...{ width: 16, layers: 2, seed: 3, backend: "wasm", weights: { left: 0, right: 0 }, batchSize: 64 },
};
const look: Look = {
  ...{ t: 1, map: "none", arrows: false, jumps: 8 },
  sampler: { solver: "rk4", steps: 16, tolerance: 1e-4 },
};

/** Of the map, with one teacher. */
const STEPS = 1500;

/** The right model, small, and the map beside it. */
async function beside(runtime: Runtime, own: Settings) {
  const learned = learnedOf(own.data, own);
  const right = await newEntrant(runtime, learned, own, "right");
  const asked: number[] = [];
  const taught: Taught = {
    ...{ runtime, settings: own, learned },
    stepOf: () => stepOf(right),
    kept: () => kept(right),
    modelOf: () =>
      ({
        conditions: right.model.conditions,
        logDensity(...given: Parameters<Model["logDensity"]>) {
          asked.push(given[0].length);
          return right.model.logDensity(...given);
        },
      }) as Model,
  };
  const news: News[] = [];
  const map = new OneStep(taught, (one) => news.push(one), STEPS);
  const of = <Kind extends News["kind"]>(kind: Kind) =>
    news.filter((one): one is News & { kind: Kind } => one.kind === kind);
  const train = async (steps: number) => {
    for await (const _ of right.trainer!.run({ steps, progressEvery: steps }));
  };
  return { map, right, asked, of, train };
}

describe("a map", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createRuntime({ backend: "wasm" });
  });
  afterAll(() => runtime.dispose());

  test("is taught by the right model as it is, until little is left to learn, and by a later one goes on", async () => {
    const { map, right, asked, of, train } = await beside(runtime, settings);
    expect(await map.work(look, false)).toBe(false); // there is nobody to learn from
    await train(600);
    for (let pieces = 0; await map.work(look, false); pieces++) expect(pieces).toBeLessThan(STEPS);
    const shown = of("map").at(-1)!;
    expect(shown).toMatchObject({ jumps: 8, steps: STEPS, teacherStep: 600 });

    // It leads from the noise to where the ODE does.
    const ends = async () => (await right.model.sample({ noise: noiseOf(1000, 3), solver: rk4({ steps: 16 }) })).values;
    const away = (samples: Float32Array, from: ArrayLike<number>) =>
      samples.reduce((sum, value, i) => sum + Math.abs(value - (from[i] as number)), 0) / samples.length;
    const own = await ends();
    expect(away(shown.samples, noiseOf(1000, 3))).toBeGreaterThan(0.3);
    expect(away(shown.samples, own)).toBeLessThan(0.08);

    // All numbers of evaluations were measured once it was done; what they say is how things are.
    const rows = of("meter").slice(-4);
    expect(rows.every(({ steps }) => steps === STEPS)).toBe(true);
    expect(rows.map(({ row }) => row.jumps)).toEqual([1, 2, 4, 8]);
    expect(asked).toHaveLength(of("meter").length); // the right model's own ODE
    const { values } = await right.model.logDensity(shown.samples, { solver: rk4({ steps: 16 }) });
    const off = values.reduce((sum, log, i) => sum + Math.abs(log - shown.logDensity[i]!), 0) / values.length;
    const last = rows[3]!.row;
    expect(off).toBeLessThan(0.25);
    expect(off).toBeLessThanOrEqual(last.headFromExact.mean + last.exactFromFlow.mean + 0.03);
    expect(last.exactFromFlow.mean).toBeLessThan(0.2);
    expect(last.flowFromClosed?.share).toBe(1);

    // Another number of evaluations is shown at once.
    await map.work({ ...look, jumps: 1 }, false);
    expect(of("map").at(-1)).toMatchObject({ jumps: 1, steps: STEPS });
    expect(away(of("map").at(-1)!.samples, shown.samples)).toBeGreaterThan(0.005);

    // Beside a model that learns on it keeps its teacher a while; then it takes that as it is, and goes on from what it knows.
    await train(20);
    await map.work(look, true);
    expect(of("map").at(-1)).toMatchObject({ teacherStep: 600 });
    const before = of("map").length;
    for (let i = 0; i < 20 && of("map").length === before; i++) await map.work({ ...look, jumps: 1 }, false);
    const next = of("map").at(-1)!;
    expect(next).toMatchObject({ jumps: 1, teacherStep: 620 });
    expect(next.steps).toBe(STEPS + 1);
    expect(away(next.samples, await ends())).toBeLessThan(0.2);
    await train(600);
    const others = of("map").length;
    for (let i = 0; i < 400 && of("map").length === others; i++) await map.work({ ...look, jumps: 2 }, true);
    expect(of("map").at(-1)).toMatchObject({ jumps: 2, teacherStep: 1220 });
  });

  test("that cannot be had says so once, and leaves the models alone", async () => {
    const news: News[] = [];
    const taught: Taught = {
      ...{ runtime, settings, learned: learnedOf(settings.data) },
      stepOf: () => 5,
      kept: () => Promise.reject(new Error("No room.")),
      modelOf: () => expect.unreachable(),
    };
    const map = new OneStep(taught, (one) => news.push(one));
    for (let i = 0; i < 2; i++) expect(await map.work(look, true)).toBe(false);
    expect(news).toEqual([{ kind: "refused", message: "The one-step map goes no further. No room." }]);
  });

  test("of models that are told classes samples the one that is wanted", async () => {
    const own = { ...settings, data: { kind: "named", name: "moons" }, byClass: true } as const;
    const { map, of, train } = await beside(runtime, own);
    await train(1);
    const shown = async (label: number | undefined) => {
      const before = of("map").length;
      const sampler = { ...look.sampler, ...(label === undefined ? {} : { label }), guidance: 3 };
      while (of("map").length === before) await map.work({ ...look, sampler }, false);
      while (of("meter").length === 0) await map.work({ ...look, sampler }, false);
      return of("map").at(-1)!;
    };
    const [one, other, none] = [await shown(0), await shown(1), await shown(undefined)];
    expect(one.samples).not.toEqual(other.samples);
    expect(other.samples).not.toEqual(none.samples);
    expect(of("meter")[0]?.row.flowFromClosed).toBeUndefined(); // the whole data's density is not that of a class
  });
});

describe("the meter", () => {
  const mean = (value: number) => ({ mean: value, standardError: 0.001 });
  const found = {
    ...{ steps: 2, values: Float32Array.of(0, 0, 1, 0, 9, 9, 2, 0), folded: 1 },
    logDensities: { flow: Float64Array.of(-1, -2, -3, -4) },
    errors: { head: { exact: mean(0.25), flow: mean(0.5) }, exact: { flow: mean(0.125) } },
  };

  test("says what the library found, and how far the ODE is from the data where these have a density", () => {
    const closed = (x: number, y: number) => (y === 9 ? Number.NEGATIVE_INFINITY : -x);
    const row = meterRow(found, closed);
    expect(row).toMatchObject({ jumps: 2, headFromExact: mean(0.25), exactFromFlow: mean(0.125), folded: 0.25 });
    expect(row.flowFromClosed).toMatchObject({ mean: 4 / 3, share: 0.75 }); // of 1, 1 and 2
    expect(row.flowFromClosed?.standardError).toBeCloseTo(1 / 3, 12);
    expect(meterRow(found, undefined).flowFromClosed).toBeUndefined();
  });

  test("is said in words and cells", () => {
    const row = meterRow(found, (x) => (x > 1 ? Number.NEGATIVE_INFINITY : -x));
    expect(meterWords(row)).toBe(
      "In 2 evaluations, the log-density that comes with a sample is off by 0.25 nats from the exact one of the map's own steps, and that by 0.13 from the one that the ODE of the right model gives. The ODE's is off by 1.00 from the data's own, where the data have any (50 % of samples). At 25 % of samples the map folds: they have no exact log-density.",
    );
    expect(meterWords({ ...row, jumps: 1, flowFromClosed: undefined, folded: 0 })).toMatch(
      /^In 1 evaluation, .* gives\.$/,
    );
    expect(cellsOf(row)).toEqual(["0.25 ± 0.01", "0.13 ± 0.01", "1.00 ± 0.00"]);
    expect(cellsOf(undefined)).toEqual(["–", "–", "–"]);
  });

  test("goes beside samples in colours from a low log-density to the highest", () => {
    const logs = Float32Array.from({ length: 100 }, (_, i) => -i);
    const range = rangeOf(logs);
    expect(range).toEqual([-96, -0]);
    expect([-200, -96, -48, 0, 5, Number.NaN].map((log) => levelOf(log, range, 101))).toEqual([0, 0, 50, 100, 100, 0]);
    expect(levelOf(-3, [-3, -3], 256)).toBe(255);
  });
});
