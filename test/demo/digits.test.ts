/** The digits tab's work: the shipped digits, and that the shipped model draws the class that it is told. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../../.build/files.mjs";
import type { Film, News } from "../../demo/tabs/digits/messages.ts";
import { type Digits, PIXELS, unpacked } from "../../demo/tabs/digits/packed.ts";
import { CLASSES, COUNT, Session, sheetOf } from "../../demo/tabs/digits/session.ts";

const fileOf = async (name: string) => new Uint8Array(await readFile(join(root, "demo", "models", name)));

test("shipped digits are unpacked: high bits first, then labels", () => {
  const bytes = Uint8Array.of(0x0f, 0xf0, ...new Array<number>(96).fill(0x80), 7);
  const { count, pixels, labels } = unpacked(bytes);
  expect([count, labels.length, labels[0]]).toEqual([1, 1, 7]);
  expect([...pixels.subarray(0, 4)]).toEqual([-1, 1, 1, -1]);
  expect(pixels[4]).toBeCloseTo(1 / 15, 6);
  expect(pixels[5]).toBe(-1);
  expect(() => unpacked(bytes.slice(1))).toThrow(/98 bytes are no whole number of pictures/);
  expect(() => unpacked(new Uint8Array(0))).toThrow(/0 bytes/);
});

test("a sheet has a column for each class", () => {
  const labels = Uint8Array.from({ length: 60 }, (_, i) => (7 * i) % CLASSES);
  const pixels = Float32Array.from({ length: 60 * PIXELS }, (_, i) => Math.floor(i / PIXELS));
  const sheet = sheetOf({ count: 60, pixels, labels });
  const which = Array.from({ length: COUNT }, (_, i) => sheet[i * PIXELS] as number);
  expect(which.map((i) => labels[i])).toEqual(Array.from({ length: COUNT }, (_, i) => i % CLASSES));
  expect(new Set(which).size).toBe(COUNT);
});

/** The class whose mean picture is nearest. */
function nearest({ pixels, labels }: Digits): (picture: Float32Array) => number {
  const means = Array.from({ length: CLASSES }, (_, label) => {
    const rows = [...labels.keys()].filter((i) => labels[i] === label);
    return Float32Array.from({ length: PIXELS }, (_, k) =>
      rows.reduce((sum, i) => sum + (pixels[i * PIXELS + k] as number) / rows.length, 0),
    );
  });
  const distance = (a: Float32Array, b: Float32Array) =>
    a.reduce((sum, value, k) => sum + (value - (b[k] as number)) ** 2, 0);
  return (picture) => {
    const all = means.map((mean) => distance(mean, picture));
    return all.indexOf(Math.min(...all));
  };
}

test("the shipped model draws the digit that it is told, and trains on", { timeout: 240_000 }, async () => {
  const files = { model: await fileOf("digits.safetensors"), digits: await fileOf("digits.bin") };
  expect(files.model.length).toBeLessThan(300_000);
  expect(files.digits.length).toBeLessThan(100_000);
  const digits = unpacked(files.digits);
  const classOf = nearest(digits);
  expect(digits.count).toBe(1000);
  const own = [...digits.labels.keys()].filter(
    (i) => classOf(digits.pixels.subarray(i * PIXELS, (i + 1) * PIXELS)) === digits.labels[i],
  );
  expect(own.length / 1000).toBeGreaterThan(0.75); // what such a judge can say of true ones

  const news: News[] = [];
  const session = await Session.open(files, { backend: "wasm", send: (one) => news.push(one) });
  const drawn = async (label: number | null, guidance: number) => {
    await session.draw({ label, guidance, steps: 8, seed: 1 }, new AbortController().signal);
    const film = news.flatMap((one) => (one.kind === "film" ? [one.film] : [])).at(-1) as Film;
    expect(film.frames).toHaveLength(9 * COUNT * PIXELS);
    const last = film.frames.subarray(8 * COUNT * PIXELS);
    return Array.from({ length: COUNT }, (_, i) => classOf(last.subarray(i * PIXELS, (i + 1) * PIXELS)));
  };
  const right = (found: readonly number[], told: (i: number) => number) =>
    found.filter((label, i) => label === told(i)).length / COUNT;
  expect(right(await drawn(null, 2), (i) => i % CLASSES)).toBeGreaterThan(0.65);
  expect(right(await drawn(3, 2), () => 3)).toBeGreaterThan(0.6);
  expect(right(await drawn(3, 0), () => 3)).toBeLessThan(0.45); // told, and not heard: a tenth would be chance

  const films = news.filter(({ kind }) => kind === "film").length;
  expect(films).toBe(3 * 8); // each step is shown
  await session.turn();
  const trained = news.at(-1) as Extract<News, { kind: "trained" }>;
  expect(trained.step).toBe(session.step);
  expect(trained.loss).toBeLessThan(0.5); // a network that begins anew has 1.7
  session.close();
});
