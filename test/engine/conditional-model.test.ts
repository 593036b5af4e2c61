/** A conditional MLP from data to samples: what it is told decides, files and workers keep it. */
import { afterAll, describe, expect, test } from "vitest";
import {
  adam,
  arrayData,
  condOT,
  createRuntime,
  createTrainer,
  fdm,
  heun,
  load,
  type Model,
  mlp,
  resume,
  type Trainer,
} from "../../src/index.ts";
import { classes, numbers } from "../../src/nn/conditions.ts";
import { remoteEngine } from "./worker.ts";

/** Three clouds, each about a place of its own, moved along y by half of `height`, in cm. */
const PLACES = [
  [-4, 0],
  [0, 3],
  [4, -1],
] as const;
const count = 600;
const names = ["left", "middle", "right"];
const species = Array.from({ length: count }, (_, i) => names[i % 3] as string);
const height = Float64Array.from({ length: count }, (_, i) => 150 + ((i * 37) % 60));
const noise = (i: number) => 0.3 * Math.sin(12.9898 * (i + 1)) * Math.cos(78.233 * i);
const points = Array.from({ length: count }, (_, i) => {
  const [x, y] = PLACES[i % 3] as readonly [number, number];
  return [x + noise(i), y + (height[i] as number) / 20 + noise(i + count)];
});
const data = arrayData(points, undefined, { standardize: true, conditions: { species, height } });
const options = {
  network: mlp({
    dimension: 2,
    hidden: [48, 48],
    conditions: { species: classes(3, { drop: 0.4 }), height: numbers() },
  }),
  path: condOT(),
  loss: fdm({ divergence: 0.05 }),
  optimizer: adam({ learningRate: 5e-3 }),
  data,
  batchSize: 128,
  seed: 3,
} as const;

const runtime = await createRuntime({ backend: "wasm" });
afterAll(() => runtime.dispose());

async function trained(trainer: Trainer, steps: number): Promise<Trainer> {
  for await (const _ of trainer.run({ steps }));
  return trainer;
}

/** The mean of 200 samples. */
async function meanOf(model: Model, conditions: object, solver = heun({ steps: 16 })): Promise<[number, number]> {
  const { values } = await model.sample({ count: 200, conditions: conditions as never, solver });
  const sum = [0, 0];
  values.forEach((value, i) => {
    sum[i % 2] = (sum[i % 2] as number) + value / 200;
  });
  return sum as [number, number];
}

const trainer = await trained(await createTrainer(runtime, options), 700);

describe("a conditional MLP", () => {
  test.each([
    ["left", 160],
    ["middle", 160],
    ["right", 200],
  ] as const)("samples %s of %d cm where the data have them", async (name, tall) => {
    const [x, y] = await meanOf(trainer.model, { species: name, height: tall });
    const [wantedX, wantedY] = PLACES[names.indexOf(name)] as readonly [number, number];
    expect(Math.abs(x - wantedX)).toBeLessThan(0.4);
    expect(Math.abs(y - (wantedY + tall / 20))).toBeLessThan(0.5);
  });

  test("not told the species, samples them all", async () => {
    const { values } = await trainer.model.sample({
      ...{ count: 300, solver: heun({ steps: 16 }) },
      conditions: { species: null, height: 180 },
    });
    const near = PLACES.map(([x]) => values.filter((value, i) => i % 2 === 0 && Math.abs(value - x) < 1.5).length);
    for (const some of near) expect(some).toBeGreaterThan(40);
  });

  test("finds rows likelier under their own species", async () => {
    const given = points.slice(0, 30);
    const told = (shift: number) => ({
      conditions: {
        species: given.map((_, i) => (i + shift) % 3),
        height: Array.from(height.subarray(0, 30)),
      },
    });
    const own = await trainer.model.logDensity(given, told(0));
    const other = await trainer.model.logDensity(given, told(1));
    given.forEach((_, i) => {
      expect(own.values[i]).toBeGreaterThan((other.values[i] as number) + 1);
    });
  });

  test("is the same from its file, which knows names and units", async () => {
    using again = await load(runtime, await trainer.model.checkpoint());
    expect(again.conditions).toEqual(trainer.model.conditions);
    expect(again.conditions["species"]).toMatchObject({ classes: 3, names, optional: true });
    const asked = { species: "right", height: 170 };
    expect(await meanOf(again, asked)).toEqual(await meanOf(trainer.model, asked));
    await expect(again.sample({ count: 1, conditions: { species: "left" } as never })).rejects.toThrow(
      /condition "height" of sample: got "nothing"/,
    );
  });

  test("goes on from a trainer's file bit for bit, with the same data alone", async () => {
    const bytes = await (await trained(await createTrainer(runtime, options), 20)).checkpoint();
    const on = await trained(await resume(runtime, bytes, { data }), 20);
    const whole = await trained(await createTrainer(runtime, options), 40);
    expect(Buffer.from(await on.checkpoint()).equals(Buffer.from(await whole.checkpoint()))).toBe(true);
    const others = arrayData(points, undefined, {
      ...{ standardize: true },
      conditions: { species, height: height.map((value) => value + 1) },
    });
    await expect(resume(runtime, bytes, { data: others })).rejects.toThrow(/data to resume with/);
  });

  test("in a worker has the same bits", { timeout: 60_000 }, async () => {
    using there = await remoteEngine("wasm");
    using other = await trained(await createTrainer(there.runtime, options), 30);
    using here = await trained(await createTrainer(runtime, options), 30);
    expect(other.model.conditions).toEqual(here.model.conditions);
    const asked = { species: ["left", null, "right"], height: [150, 160, 170] };
    const sampled = (model: Model) => model.sample({ count: 3, conditions: asked, solver: heun({ steps: 8 }) });
    expect((await sampled(other.model)).values).toEqual((await sampled(here.model)).values);
  });

  describe("guided by its species", () => {
    const given = points.slice(0, 5);
    const times = given.map((_, i) => i / 5);
    const told = { species: ["left", "right", null, "middle", "left"], height: 170 };
    const untold = { species: null, height: 170 };

    test.each([0, 0.5, 3, -1])("at strength %d has the velocity v_0 + w (v_1 - v_0)", async (guidance) => {
      const { model } = trainer;
      const guided = await model.velocity(given, times, { conditions: told, guidance });
      const one = await model.velocity(given, times, { conditions: told });
      const none = await model.velocity(given, times, { conditions: untold });
      const apart = Math.max(...one.map((value, i) => Math.abs(value - (none[i] as number))));
      expect(apart).toBeGreaterThan(0.1);
      guided.forEach((value, i) => {
        const expected = (none[i] as number) + guidance * ((one[i] as number) - (none[i] as number));
        expect(Math.abs(value - expected)).toBeLessThan(1e-5 * apart * (1 + Math.abs(guidance)) + 1e-5);
      });
    });

    test("at strength 1 is not guided, at 0 as if not told", async () => {
      const { model } = trainer;
      const sampled = async (options: object) =>
        (await model.sample({ count: 5, solver: heun({ steps: 8 }), ...options })).values;
      expect(await sampled({ conditions: told, guidance: 1 })).toEqual(await sampled({ conditions: told }));
      const none = await sampled({ conditions: untold });
      (await sampled({ conditions: told, guidance: 0 })).forEach((value, i) => {
        expect(value).toBeCloseTo(none[i] as number, 3);
      });
    });

    test("has the log-density that its own samples have", async () => {
      const { model } = trainer;
      const asked = { conditions: { species: "left", height: 170 }, guidance: 2.5, solver: heun({ steps: 200 }) };
      const { values, logDensity } = await model.sample({ ...asked, count: 20, logDensity: true });
      const again = await model.logDensity(values, asked);
      const unguided = await model.logDensity(values, { ...asked, guidance: 1 });
      again.values.forEach((value, i) => {
        expect(value).toBeCloseTo(logDensity?.values[i] as number, 2);
      });
      const apart = again.values.map((value, i) => Math.abs(value - (unguided.values[i] as number)));
      expect(Math.max(...apart)).toBeGreaterThan(0.05);
    });

    test("has the same bits in a worker, more chunks of points than one, and from noise", {
      timeout: 60_000,
    }, async () => {
      const bytes = await trainer.model.checkpoint();
      using there = await remoteEngine("wasm");
      using other = await load(there.runtime, bytes);
      const asked = { conditions: { species: "right", height: 180 }, guidance: 2, solver: heun({ steps: 4 }) };
      const many = { ...asked, count: 5000 };
      const here = await trainer.model.sample(many);
      expect((await other.sample(many)).values).toEqual(here.values);
      const finely = { ...asked, solver: heun({ steps: 100 }) };
      const encoded = await trainer.model.encode(here.values.subarray(9000), finely);
      const back = await trainer.model.sample({ ...finely, noise: encoded.values });
      back.values.forEach((value, i) => {
        expect(value).toBeCloseTo(here.values[9000 + i] as number, 2);
      });
    });

    test("needs a condition that it can do without, and is told", async () => {
      const { model } = trainer;
      await expect(model.sample({ count: 1, conditions: untold, guidance: 2 })).rejects.toThrow(
        /guidance of sample: got "2, and species not told"/,
      );
      await expect(model.logDensity(given, { conditions: told, guidance: Number.POSITIVE_INFINITY })).rejects.toThrow(
        /guidance of logDensity/,
      );
      using plain = await createTrainer(runtime, {
        ...options,
        network: mlp({ dimension: 2, hidden: [8] }),
        data: arrayData(points),
      });
      await expect(plain.model.velocity(given, times, { guidance: 2 })).rejects.toThrow(
        /guidance of velocity: got "2, for a model that learned no field without conditions"/,
      );
    });
  });

  test("validates rows held out, told what they are", async () => {
    const judged = await createTrainer(runtime, { ...options, validation: 0.2, validateEvery: 100 });
    const seen: number[] = [];
    for await (const { validations = [] } of judged.run({ steps: 300 })) {
      seen.push(...validations.map(({ velocityLoss }) => velocityLoss));
    }
    expect(seen.length).toBe(3);
    expect(seen[2]).toBeLessThan((seen[0] as number) * 0.95);
  });
});
