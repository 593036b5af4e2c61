/** The experiment on films with latents of a user's: the whole command, and files that cannot be used. */
import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { filmsOfFile, readLatents } from "../../../src/cli/experiment/videos/latents-file.ts";
import { videoPresets } from "../../../src/cli/experiment/videos/settings.ts";
import { writeNpy } from "../../../src/index.ts";
import { useCli } from "../run.ts";

const cli = useCli();
const quick = videoPresets.quick.settings;

async function file(name: string, shape: readonly number[], value: (i: number) => number = Math.sin): Promise<string> {
  const size = shape.reduce((all, one) => all * one, 1);
  await writeFile(
    cli.path(name),
    writeNpy(
      Float32Array.from({ length: size }, (_, i) => value(i)),
      shape,
    ),
  );
  return cli.path(name);
}

describe("files", () => {
  test("of vectors are one place of many channels; frames that are not asked for are left out", async () => {
    const path = await file("vectors.npy", [10, 4, 3], (i) => i);
    const films = readLatents(path, { given: 2, predicted: 1 });
    expect(films).toMatchObject({ count: 10, frames: 3, shape: [1, 1, 3] });
    expect([...films.values.subarray(0, 12)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 14]);
    expect(readLatents(path, { given: 2, predicted: 15 }).frames).toBe(4);
  });

  test("are divided by films, in units of the channels of those to train on", async () => {
    const path = await file("fields.npy", [20, 3, 2, 1, 2], (i) => (i % 2 === 0 ? 1000 + Math.floor(i / 12) : 5));
    const { training, heldOut } = await filmsOfFile(path, { ...quick, given: 2, heldOut: 3 }, 1);
    expect([training.count, heldOut.count]).toEqual([17, 3]);
    expect(training.shape).toEqual([2, 1, 2]);
    const own = training.values.filter((_, i) => i % 2 === 0);
    expect(own.reduce((sum, value) => sum + value, 0) / own.length).toBeCloseTo(0, 4);
    expect(own.reduce((sum, value) => sum + value ** 2, 0) / own.length).toBeCloseTo(1, 4);
    expect(Math.max(...training.values.filter((_, i) => i % 2 === 1))).toBe(0);
    // A film has one number, each its own: none is in both.
    const names = [training, heldOut].map(({ values }) => new Set(values.filter((_, i) => i % 12 === 0)));
    expect([...(names[0] as Set<number>)].filter((one) => names[1]?.has(one))).toEqual([]);
    expect((names[0]?.size ?? 0) + (names[1]?.size ?? 0)).toBe(20);
  });

  test.each([
    ["axes.npy", [12, 6, 2, 2], Math.sin, /got "an array \[12, 6, 2, 2\]", expected \[films, frames, h, w, c\]/],
    ["few.npy", [4, 12, 3], Math.sin, /got "4 films", expected 10 or more/],
    ["short.npy", [12, 8, 3], Math.sin, /films of 8 frames.*more than the 10.*given=4/],
    ["gap.npy", [12, 11, 3], (i: number) => (i === 40 ? Number.NaN : 1), /NaN in film 1, frame 2.*finite/],
  ])("%s is refused in a sentence", async (name, shape, value, words) => {
    const path = await file(name, shape, value);
    expect(() => readLatents(path, quick)).toThrow(words);
  });

  test("that are not there are named", () => {
    expect(() => readLatents("nowhere.npy", quick)).toThrow(
      /nowhere.npy: got "ENOENT", expected a .npy file of latents/,
    );
  });
});

test("a run from latents: errors and likelihoods in their own units, no pictures", { timeout: 120_000 }, async () => {
  // Films that turn: what comes next follows from two frames.
  const path = await file("turning.npy", [20, 6, 2], (i) => {
    const [film, frame] = [Math.floor(i / 12), Math.floor(i / 2) % 6];
    return Math.sin(film + 0.5 * frame + (i % 2 === 0 ? 0 : Math.PI / 2));
  });
  const settings =
    "given=3,predicted=3,heldOut=4,width=8,heads=2,outer=1,middle=0,steps=12,batch=8,solver=1,likelihoods=3,probes=1,components=2";
  const asked = ["experiment", "moving-digits", path, "--set", settings, "--backend", "wasm", "--threads", "1"];
  const { code, errors } = await cli.run([...asked, "--losses", "cfm,last,decoded", "--out", "latents"]);
  expect(code, errors).toBe(0);
  const record = async (loss: string) =>
    JSON.parse(await readFile(cli.path("latents", "seed-0", loss, "record.json"), "utf8"));
  const { metrics, series } = await record("cfm");
  expect(metrics.map(({ name }: { name: string }) => name)).toEqual(["frameError", "nats", "featureDistance"]);
  expect(series[0].x).toEqual([4, 5, 6]);
  // Repeating the last frame, k turns of 0.5 late, has an error of 4 sin^2(k / 4) over a variance of 1 / 2, halved by the two channels.
  const last = (await record("last")).series[0].y as number[];
  last.forEach((error, i) => {
    expect(error / (4 * Math.sin((i + 1) / 4) ** 2)).toBeCloseTo(1, 0);
  });
  const html = await readFile(cli.path("latents", "report.html"), "utf8");
  expect(html).toContain("squared error of predicted latents");
  expect(html).not.toMatch(/<img|NaN|undefined/);
});
