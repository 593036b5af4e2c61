/** The experiment on films: how they move, what is taken of them, what goes on with them, and all of it once, tiny. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { conduct, type Plan } from "../../../src/cli/experiment/conduct.ts";
import { movingDigits } from "../../../src/cli/experiment/moving-digits.ts";
import { outcomeOf } from "../../../src/cli/experiment/outcome-of.ts";
import { uniformSequence } from "../../../src/cli/experiment/random-numbers.ts";
import { reportOf } from "../../../src/cli/experiment/report.ts";
import { Coder, coderLoss, coderNetwork, LATENTS, pairSize } from "../../../src/cli/experiment/videos/coder.ts";
import { alongComponents, principalComponents } from "../../../src/cli/experiment/videos/components.ts";
import { bounced, drawFilms } from "../../../src/cli/experiment/videos/films.ts";
import {
  cut,
  fromUnits,
  type LatentFilms,
  pairOfRow,
  pairsFrom,
  toUnits,
  uniformRows,
  unitsOf,
} from "../../../src/cli/experiment/videos/latents.ts";
import { frameErrors } from "../../../src/cli/experiment/videos/measures.ts";
import { framesShown, sideBySide } from "../../../src/cli/experiment/videos/pictures.ts";
import { continueFilms, natsOfFrames, rk4 } from "../../../src/cli/experiment/videos/predict.ts";
import {
  checkVideoSettings,
  differencesFromVideos,
  MADE,
  videoPresets,
} from "../../../src/cli/experiment/videos/settings.ts";
import { adam, arrayData, condOT, createRuntime, createTrainer, type Model, readNpy } from "../../../src/index.ts";

const { signal } = new AbortController();
const progress = async () => {};

describe("films", () => {
  test("bounce where a step-by-step reflection does", () => {
    for (const [start, pace, span] of [
      [3, 1.7, 18],
      [0, -0.9, 4],
      [2.5, 9.3, 3],
    ] as const) {
      let [place, speed] = [start as number, pace as number];
      for (let frame = 0; frame < 60; frame++) {
        expect(bounced(start + frame * pace, span)).toBeCloseTo(place, 9);
        place += speed;
        while (place < 0 || place > span) {
          place = place < 0 ? -place : 2 * span - place;
          speed = -speed;
        }
      }
    }
  });

  // Two digits: a square of ink in the middle, and nothing.
  const square = Array.from({ length: 784 }, (_, i) => {
    const [y, x] = [Math.floor(i / 28), i % 28];
    return y >= 8 && y < 20 && x >= 8 && x < 20 ? 200 : 0;
  });
  const digits = {
    count: 2,
    labels: Uint8Array.of(0, 1),
    levels: Uint8Array.from([...square, ...square.map(() => 0)]),
  };
  const frames = 40;
  const side = 32;
  const centresOf = (levels: Uint8Array, film: number) =>
    Array.from({ length: frames }, (_, frame) => {
      const own = levels.subarray((film * frames + frame) * 1024, (film * frames + frame + 1) * 1024);
      const ink = own.reduce((sum, level) => sum + level, 0);
      const mean = (of: (i: number) => number) => own.reduce((sum, level, i) => sum + level * of(i), 0) / ink;
      return { ink, x: mean((i) => i % side), y: mean((i) => Math.floor(i / side)) };
    });

  test("have whole digits that go straight on at one pace between the edges", () => {
    const { levels } = drawFilms({ side, digits: 1, frames }, digits, [0], 5, 3);
    for (let film = 0; film < 5; film++) {
      const centres = centresOf(levels, film);
      const steps = centres.slice(1).map(({ x, y }, i) => {
        const before = centres[i] as (typeof centres)[number];
        return Math.hypot(x - before.x, y - before.y);
      });
      for (const { ink, x, y } of centres) {
        expect(ink / (200 * 36)).toBeCloseTo(1, 1); // 12 x 12 pixels of 200 are 6 x 6 of them; levels are rounded
        // A digit of 14 pixels, its middle at 6.5, goes from 0 to 18.
        expect(Math.min(x, y)).toBeGreaterThan(6.4);
        expect(Math.max(x, y)).toBeLessThan(24.6);
      }
      const straight = steps.filter((step) => Math.abs(step - 1.8) < 0.06).length;
      expect(straight).toBeGreaterThan(24); // the others bounce: at most 1.8 / 18 of the frames for each edge and axis
      expect(Math.max(...steps)).toBeLessThan(1.86);
    }
    const [first, second] = [0, 1].map((film) => centresOf(levels, film)[0]?.x);
    expect(first).not.toBeCloseTo(second as number, 2);
  });

  test("are of the digits that are asked for, and come again by seed", () => {
    const made = { side, digits: 2, frames: 3 };
    expect(Math.max(...drawFilms(made, digits, [1], 3, 1).levels)).toBe(0);
    const both = drawFilms(made, digits, [0, 0], 3, 1).levels;
    expect(Math.max(...both)).toBe(200); // where two meet the darker one stays
    expect(drawFilms(made, digits, [0, 0], 3, 1).levels).toEqual(both);
    expect(drawFilms(made, digits, [0, 0], 3, 2).levels).not.toEqual(both);
  });
});

type Batch = { values: Float32Array; conditions: Record<"last" | "earlier" | "distance", Float32Array> };

/** Films of one number a frame: film f's frame i is 100 f + i. */
const counting = (count: number, frames: number): LatentFilms => {
  const values = Float32Array.from({ length: count * frames }, (_, i) => 100 * Math.floor(i / frames) + (i % frames));
  return { values, count, frames, shape: [1, 1, 1] };
};

describe("what is learned of films", () => {
  test("a frame with the one before it and an earlier one, at their distance", async () => {
    const films = counting(7, 9);
    const uniform = uniformRows(3, 5);
    const seen = new Set<string>();
    for (let row = 0; row < 500; row++) {
      const { film, frame, earlier } = pairOfRow(uniform(row), films);
      expect(film).toBeLessThan(7);
      expect(frame).toBeGreaterThanOrEqual(2);
      expect(frame).toBeLessThan(9);
      expect(earlier).toBeGreaterThanOrEqual(0);
      expect(earlier).toBeLessThanOrEqual(frame - 2);
      seen.add(`${frame}, ${earlier}`);
    }
    expect(seen.size).toBe(28); // all pairs that there are: 1 + 2 + ... + 7
  });

  test("batches hold what they say, and go on from any row with the same rows", () => {
    const films = counting(7, 9);
    const [first, second] = [pairsFrom(films, 5, 0), pairsFrom(films, 5, 64)];
    const batches = Array.from({ length: 70 }, () => first.next().value as Batch);
    for (const { values, conditions } of batches) {
      values.forEach((value, i) => {
        expect(conditions.last[i]).toBe(value - 1);
        expect(conditions.earlier[i]).toBe(value - (conditions.distance[i] as number));
      });
    }
    const again = Array.from({ length: 69 }, () => second.next().value as Batch);
    expect(again).toEqual(batches.slice(1));
    expect(batches[1]).not.toEqual(batches[0]);
  });

  test("cuts and units", () => {
    const { values, frames } = cut(counting(3, 5), 2, 4);
    expect([...values]).toEqual([2, 3, 102, 103, 202, 203]);
    expect(frames).toBe(2);
    const units = unitsOf([1, 10, 3, 10, 5, 10], 2);
    expect([...units.mean]).toEqual([3, 10]);
    expect(units.deviation[0]).toBeCloseTo(Math.sqrt(8 / 3), 12);
    expect(units.deviation[1]).toBe(1);
    expect(toUnits([5, 12], units)[1]).toBe(2);
    expect([...fromUnits(toUnits([5, 12], units), units)]).toEqual([5, 12]);
  });
});

describe("going on", () => {
  test("RK4 is exact where Simpson's rule is, and of fourth order", async () => {
    const one = Float32Array.of(0, 1);
    expect([...(await rk4(async (_, t) => [4 * t ** 3, 2 * t], one, 1))]).toEqual([1, 2]);
    const end = await rk4(async (x) => x, Float32Array.of(1), 1);
    expect(end[0]).toBeCloseTo(1 + 1 + 1 / 2 + 1 / 6 + 1 / 24, 6);
    expect((await rk4(async (x) => x, Float32Array.of(1), 8))[0]).toBeCloseTo(Math.E, 4);
  });

  test("tells each frame the one before it, made or given, and earlier ones drawn anew", async () => {
    const films = counting(3, 5);
    const told = new Map<number, Set<number>>();
    const velocity = async (x: ArrayLike<number>, _: unknown, { conditions }: { conditions: Batch["conditions"] }) => {
      const { last, earlier, distance } = conditions;
      for (let film = 0; film < 3; film++) {
        const own = [last, earlier, distance].map((values) => values[film] as number) as [number, number, number];
        const frame = Math.round(own[0]) - 100 * film + 1;
        expect(own[1]).toBeCloseTo(100 * film + frame - own[2], 2);
        told.set(frame, (told.get(frame) ?? new Set()).add(own[2]));
      }
      // Draws x to the next number: of frames 5, 6, ... too, if what was made is told.
      return Float32Array.from(x as Float32Array, (value, i) => 40 * ((last[i] as number) + 1 - value));
    };
    const model = { velocity } as unknown as Model;
    const made = await continueFilms(model, films, { given: 3, predicted: 4, steps: 40, seed: 1, signal, progress });
    expect(made.frames).toBe(4);
    made.values.forEach((value, i) => {
      expect(value).toBeCloseTo(100 * Math.floor(i / 4) + 3 + (i % 4), 2);
    });
    expect([...told.keys()]).toEqual([3, 4, 5, 6]);
    for (const [frame, distances] of told) {
      // From 2, the frame before the last, to all frames back.
      expect([...distances].sort((a, b) => a - b)).toEqual(Array.from({ length: frame - 1 }, (_, i) => i + 2));
    }
  });

  test("asks the likelihood of a frame of each film that is not given", async () => {
    const films: LatentFilms = { ...counting(4, 5), count: 4 };
    const logDensity = async (points: Float32Array, { conditions }: { conditions: Batch["conditions"] }) => {
      points.forEach((value, i) => {
        expect(conditions.last[i]).toBe(value - 1);
        expect(conditions.earlier[i]).toBe(value - (conditions.distance[i] as number));
      });
      return { values: Float64Array.from(points, (value) => -value) };
    };
    const model = { logDensity } as unknown as Model;
    const asked = { count: 4, given: 3, probes: 1, tolerance: 1e-3, seed: 0, signal };
    expect([...(await natsOfFrames(model, films, asked))]).toEqual([3, 104, 203, 304]);
    const wide = { ...films, shape: [1, 1, 2] as const, frames: 4, count: 2, values: new Float32Array(16).fill(6) };
    const even = { logDensity: async () => ({ values: Float64Array.of(8, 4) }) } as unknown as Model;
    expect([...(await natsOfFrames(even, wide, { ...asked, count: 2 }))]).toEqual([-4, -2]);
  });
});

describe("measures", () => {
  test("errors by frame over films, and by film over frames", () => {
    const truth = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1];
    const made = [1, 1, 0, 2, 0, 0, 1, 1, 1, 4, 2, 2];
    const found = frameErrors(made, truth, { frames: 3, size: 2 });
    expect(found.byFrame).toEqual([0.5, (2 + 4.5) / 2, 0.5]);
    expect(found.byFilm).toEqual([1, 5.5 / 3]);
  });

  test("principal components keep what varies", () => {
    // Rows on a line through (1, 2, 3) with direction (2, 1, -2) / 3.
    const places = [-3, -1, 0, 4];
    const values = places.flatMap((place) => [1 + (2 * place) / 3, 2 + place / 3, 3 - (2 * place) / 3]);
    const rows = { values, count: 4, width: 3 };
    const found = principalComponents(rows, 2);
    expect(found.count).toBe(1); // there is no second one
    const along = alongComponents(rows, found);
    const way = Math.sign((along.values[3] as number) - (along.values[0] as number));
    places.forEach((place, i) => {
      expect(way * (along.values[i] as number)).toBeCloseTo(place, 10);
    });
    const uniform = uniformSequence(1);
    const cloud = { values: Array.from({ length: 60 }, () => uniform()), count: 20, width: 3 };
    const turned = alongComponents(cloud, principalComponents(cloud, 3));
    const distance = (at: ArrayLike<number>) =>
      Math.hypot(...[0, 1, 2].map((k) => (at[k] as number) - (at[3 * 7 + k] as number)));
    expect(distance(turned.values)).toBeCloseTo(distance(cloud.values), 9);
  });
});

describe("the autoencoder", () => {
  test("decodes latents as the frames that they are of would be, and learns", { timeout: 60_000 }, async () => {
    using runtime = await createRuntime({ backend: "wasm", threads: 1 });
    const side = 16;
    const uniform = uniformSequence(4);
    // A bright square of 5 x 5 somewhere in each.
    const frames = new Float32Array(32 * 256);
    for (let frame = 0; frame < 32; frame++) {
      const [top, left] = [Math.floor(12 * uniform()), Math.floor(12 * uniform())];
      for (let i = 0; i < 25; i++) frames[256 * frame + 16 * (top + Math.floor(i / 5)) + left + (i % 5)] = 1;
    }
    const rows = new Float32Array(32 * pairSize(side));
    for (let i = 0; i < frames.length; i++)
      rows[Math.floor(i / 256) * pairSize(side) + (i % 256)] = frames[i] as number;
    using trainer = await createTrainer(runtime, {
      network: coderNetwork({ side, coderChannels: 8 }),
      loss: coderLoss(side, { noise: 0.1, penalty: 1e-4 }),
      ...{ path: condOT(), data: arrayData(rows, [32, pairSize(side)]), batchSize: 16, seed: 0 },
      optimizer: adam({ learningRate: 1e-2 }),
    });
    const losses: number[] = [];
    for await (const { velocityLoss } of trainer.run({ steps: 200, progressEvery: 20 })) losses.push(velocityLoss);
    using coder = new Coder(trainer.model, side);
    const latents = await coder.encode(frames);
    expect(latents).toHaveLength(32 * LATENTS);
    const decoded = await coder.decode(latents);
    const whole = await trainer.model.velocity(rows, new Float32Array(32));
    decoded.forEach((value, i) => {
      const own = whole[Math.floor(i / 256) * pairSize(side) + (i % 256)] as number;
      expect(value).toBeCloseTo(Math.min(1, Math.max(0, own)), 4);
    });
    const [missed, all] = [
      frameErrors(decoded, frames, { frames: 1, size: 256 }),
      frameErrors(new Float32Array(frames.length), frames, { frames: 1, size: 256 }),
    ];
    const mean = ({ byFrame }: typeof missed) => byFrame[0] as number;
    expect(mean(missed)).toBeLessThan(0.05 * mean(all));
    // What is reported is the error of noisy latents' frames, a little more than that of exact ones.
    expect(losses.at(-1)).toBeLessThan(2 * mean(missed) + 0.01);
  });
});

describe("pictures", () => {
  test("frames that are shown: the last one given, then even ones up to the last", () => {
    expect(framesShown(10, 15)).toEqual([9, 11, 13, 15, 17, 18, 20, 22, 24]);
    expect(framesShown(3, 2)).toEqual([2, 3, 4]);
  });

  test("frames side by side with a line between", () => {
    const { width, height, levels } = sideBySide(
      [
        [0, 1, 0.2, 0],
        [1, 1, 0, 0],
      ],
      2,
      90,
    );
    expect([width, height]).toEqual([5, 2]);
    expect([...levels]).toEqual([0, 255, 90, 255, 255, 51, 0, 90, 0, 0]);
  });
});

const quick = videoPresets.quick.settings;

test.each([
  [{ side: 28 }, /--set side of moving-digits: got 28, expected one of 16, 32, 64, 128/],
  [{ given: 1 }, /--set given of moving-digits: got 1, expected an integer of 2 or more/],
  [{ power: 3 }, /--set power.*expected 1 or 2/],
  [{ decay: "linear" }, /--set decay: got "linear", expected one of cosine, none/],
  [{ steps: 0.5 }, /--set steps/],
  [{ noise: -1 }, /--set noise.*0 or more/],
])("settings %o are refused", (changed, words) => {
  expect(() => checkVideoSettings({ ...quick, ...changed }, MADE)).toThrow(words);
});

test("presets can be run, and say in what they differ from the paper's", () => {
  for (const { settings } of Object.values(videoPresets))
    expect(() => checkVideoSettings(settings, MADE)).not.toThrow();
  const words = differencesFromVideos(quick, MADE).join(" ");
  expect(words).toContain(`width ${quick.width}`);
  expect(words).toContain("no FVD");
  const paper = differencesFromVideos(videoPresets.paper.settings, MADE).join(" ");
  expect(paper).not.toMatch(/The transformer|Training:|RK4/);
});

const tiny = {
  ...{ side: 16, digits: 1, given: 3, predicted: 4, films: 24, heldOut: 6, coderChannels: 8, coderSteps: 60 },
  ...{ width: 8, heads: 2, outer: 1, middle: 0, steps: 12, batch: 8, average: 5, warmUp: 3, solver: 1 },
  ...{ likelihoods: 3, probes: 1, components: 3 },
};

test("from digits to the report", { timeout: 120_000 }, async () => {
  const out = await mkdtemp(join(tmpdir(), "moving-digits-"));
  using runtime = await createRuntime({ backend: "wasm", threads: 1 });
  try {
    const losses = ["cfm", "fdm", "last", "decoded", "others"];
    const plan: Plan = {
      ...{
        experiment: movingDigits,
        preset: "quick",
        settings: { ...quick, ...tiny },
        input: MADE,
        losses,
        seeds: [0],
        out,
      },
      command: "divflow experiment moving-digits",
    };
    await conduct(runtime, plan);
    const outcome = await outcomeOf(plan, runtime);
    expect(outcome.runs).toHaveLength(5);
    const of = (loss: string) => outcome.runs.find((run) => run.loss === loss)?.judgement;
    const error = (loss: string) => of(loss)?.metrics.find(({ name }) => name === "frameError")?.value as number;
    for (const loss of losses) {
      expect(of(loss)?.series?.[0]).toMatchObject({ name: "error", x: [4, 5, 6, 7] });
      const names = of(loss)?.metrics.map(({ name, value }) => [name, Number.isFinite(value)]);
      const expected = ["frameError", ...(loss === "cfm" || loss === "fdm" ? ["nats"] : []), "featureDistance"];
      expect(names).toEqual(expected.map((name) => [name, true]));
    }
    expect(error("decoded")).toBeLessThan(error("others")); // what little it has learned is more than chance
    const kept = async (...at: string[]) => readNpy(await readFile(join(out, "seed-0", ...at)), at.join("/"));
    const [held, repeated] = [await kept("data", "held-out.npy"), await kept("last", "frames.npy")];
    expect(held.shape).toEqual([6, 7, 16, 16]);
    expect(repeated.shape).toEqual([6, 4, 16, 16]);
    for (const [film, frame] of [
      [0, 0],
      [0, 3],
      [5, 2],
    ] as const) {
      const own = repeated.data.subarray((4 * film + frame) * 256, (4 * film + frame + 1) * 256);
      expect(own).toEqual(held.data.subarray((7 * film + 2) * 256, (7 * film + 3) * 256));
    }
    const html = reportOf(outcome);
    for (const words of ["Film 1", "Film 2", "Play the films", "Decoded truth", "TriVD-GAN-FP", "RaMViD", "no FVD"])
      expect(html).toContain(words);
    expect(html.match(/src="data:image\/png;base64,/g)).toHaveLength(2 * 4 + 1);
    expect(html.replace(/base64,[^"]*/g, "")).not.toMatch(/NaN|undefined|Infinity|https?:|<script/);
    const record = JSON.parse(await readFile(join(out, "seed-0", "fdm", "record.json"), "utf8"));
    expect(record.metrics[0].error).toBeGreaterThan(0);
  } finally {
    await rm(out, { recursive: true, force: true });
  }
});
