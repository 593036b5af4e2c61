/** Links of runs: there and back for many, and a sentence for each that was damaged on its way. */
import { describe, expect, test } from "vitest";
import { linkOf, MOST_LETTERS, runOf } from "../../demo/share/link.ts";
import {
  axes,
  backends,
  defaultRun,
  faultOf,
  jumps,
  maps,
  overlays,
  type SharedRun,
  sharedSets,
  solvers,
} from "../../demo/share/run.ts";

/** A generator of numbers in [0, 1) that a seed repeats (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A run of any settings that the page takes; every second one is of a drawing, in strokes as a hand makes them. */
function anyRun(seed: number): SharedRun {
  const next = random(seed);
  const whole = (most: number) => 1 + Math.floor(next() * most);
  const among = <Value>(values: readonly Value[]) => values[Math.floor(next() * values.length)] as Value;
  const points: number[] = [];
  for (let i = whole(500), x = 0, y = 0; i > 0; i--) {
    const isNew = next() < 0.05;
    x = isNew ? 6 * next() - 3 : Math.max(-3, Math.min(3, x + 0.3 * (next() - 0.5)));
    y = isNew ? 6 * next() - 3 : Math.max(-3, Math.min(3, y + 0.3 * (next() - 0.5)));
    points.push(x, y);
  }
  return {
    data:
      seed % 2 === 0
        ? { kind: "named", name: among(sharedSets) }
        : { kind: "ink", title: among(["your drawing", "“∇·v”", "🙂", ""]), points, deviation: 0.05 + next() },
    ...{ width: whole(512), layers: whole(8), seed: Math.floor(next() * 2 ** (next() * 53)), backend: among(backends) },
    weights: { left: among([0, next()]), right: 10 * next() },
    sampler: {
      ...{ solver: among(solvers), steps: whole(1000), tolerance: 10 ** (-7 * next()) },
      ...(next() < 0.5 ? { label: whole(8) - 1 } : {}),
      ...(next() < 0.5 ? { guidance: 8 * next() - 2 } : {}),
    },
    ...(next() < 0.5 ? { byClass: true } : {}),
    ...(next() < 0.8
      ? {
          view: {
            ...{ t: Math.floor(1001 * next()) / 1000, map: among(maps), axis: among(axes) },
            overlays: overlays.filter(() => next() < 0.5),
            ...(next() < 0.5 ? { jumps: among(jumps) } : {}),
          },
        }
      : {}),
  };
}

const view = { t: 0.5, map: "none", overlays: [], axis: "step" } as const;
const seeds = Array.from({ length: 100 }, (_, i) => i);

describe("a link", () => {
  test.each(seeds)("gives back the run it was made of, %i", (seed) => {
    const run = anyRun(seed);
    expect(faultOf(run)).toBeUndefined();
    const { hash, note } = linkOf(run);
    expect(note).toBeUndefined();
    expect(hash.length).toBeLessThanOrEqual(MOST_LETTERS);
    expect(hash).toMatch(/^#[\w.-]+$/); // nothing that a URL, a chat or a mail writes in another way
    const opened = runOf(hash);
    expect(opened).toMatchObject({ isShared: true });
    expect(opened.message).toBeUndefined();
    if (run.data.kind === "named") {
      expect(opened.run).toEqual(run);
      return;
    }
    const { points, ...rest } = opened.run.data as typeof run.data;
    const { points: drawn, ...own } = run.data;
    expect({ ...opened.run, data: rest }).toEqual({ ...run, data: own });
    expect(points).toHaveLength(drawn.length);
    // Half of the coarsest unit, 1/16: less than a dab is wide.
    expect(Math.max(...points.map((value, i) => Math.abs(value - (drawn[i] as number))))).toBeLessThanOrEqual(1 / 32);
    expect(linkOf(opened.run).hash).toBe(hash); // a link of a link says the same
  });

  test("of a drawing that is too large holds as many points as it has room for, and says so", () => {
    const next = random(5);
    const points = Array.from({ length: 2000 }, () => 6 * next() - 3);
    const { hash, note } = linkOf({ ...defaultRun, data: { kind: "ink", title: "all over", points, deviation: 0.1 } });
    expect(hash.length).toBeLessThanOrEqual(MOST_LETTERS);
    expect(note).toMatch(/one point in [2-4]\.$/);
    const { data } = runOf(hash).run;
    const every = Number(/in (\d)\./.exec(note ?? "")?.[1]);
    expect(data.kind === "ink" && data.points.length).toBe(2 * Math.ceil(1000 / every));
    const [x, y] = (data.kind === "ink" ? data.points : []).slice(2, 4) as [number, number];
    expect(Math.abs(x - (points[2 * every] as number))).toBeLessThanOrEqual(1 / 32);
    expect(Math.abs(y - (points[2 * every + 1] as number))).toBeLessThanOrEqual(1 / 32);
  });

  test("that says nothing is the usual run, without a word", () => {
    for (const hash of ["", "#"]) expect(runOf(hash)).toEqual({ run: defaultRun, isShared: false });
  });

  test("of the page as it was before links held a view is read still", () => {
    const { run, isShared } = runOf("#1.QAQBAAAAAAAAAAAAmpmZmZmZuT8DDC1DHOviNho_AAxjaGVja2VyYm9hcmScY6Y");
    expect({ run, isShared }).toEqual({ run: defaultRun, isShared: true });
  });

  test("of a newer page says so", () => {
    expect(runOf("#3.AAAA").message).toMatch(/newer version.*usual settings/);
    expect(runOf(`#99.${"A".repeat(9000)}`).message).toMatch(/newer version/);
  });

  test.each([
    "#about",
    "#1.",
    "#2.",
    "#2.AAAA",
    "#1.====",
    "#1.AAAA",
    "#0.AAAA",
    "#1.%20",
    "#1.é",
    `#1.${"A".repeat(100_000)}`,
    "#1.\u0000",
  ])("that is none, %j, gives a sentence and the usual run", (hash) => {
    const { run, message, isShared } = runOf(hash);
    expect({ run, isShared }).toEqual({ run: defaultRun, isShared: false });
    expect(message).toMatch(/damaged or cut short.*usual settings/);
  });

  test("damaged in 1,000 ways gives a sentence and the usual run each time", () => {
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.#%= \n";
    let [tried, newer] = [0, 0];
    for (let seed = 0; tried < 1000; seed++) {
      const next = random(1000 + seed);
      const { hash } = linkOf(anyRun(seed));
      const at = Math.floor(next() * hash.length);
      const letter = letters[Math.floor(next() * letters.length)] as string;
      const ways = [
        () => hash.slice(0, at),
        () => hash.slice(0, at) + letter + hash.slice(at + 1),
        () => hash.slice(0, at) + letter + hash.slice(at),
        () => hash.slice(0, at) + hash.slice(at + 1),
        () => hash + letter,
        () => hash.slice(0, at) + hash.slice(at).toUpperCase(),
        () =>
          hash.slice(0, at) +
          Array.from(hash.slice(at, at + 8))
            .reverse()
            .join("") +
          hash.slice(at + 8),
        () => encodeURIComponent(hash.slice(1)).slice(0, at),
      ];
      const damaged = (ways[seed % ways.length] as () => string)();
      if (damaged === hash || damaged === hash.slice(1) || damaged === "" || damaged === "#") continue;
      if (`#${damaged}` === hash || damaged === `#${hash}`) continue;
      tried++;
      const { run, isShared, message } = runOf(damaged);
      expect({ run, isShared }, damaged).toEqual({ run: defaultRun, isShared: false });
      expect(message, damaged).toMatch(/^This link .*usual settings are used\.$/);
      if (/newer/.test(message ?? "")) newer++;
    }
    expect(newer).toBeLessThan(50); // those whose number was hit
  });

  test.each<[Partial<SharedRun>, RegExp]>([
    [{ data: { kind: "named", name: "pentagon" } }, /a data set "pentagon"/],
    [{ width: 100_000 }, /layers 100000 wide/],
    [{ layers: 99 }, /99 layers/],
    [{ weights: { left: Number.NaN, right: 0 } }, /a weight NaN/],
    [{ sampler: { solver: "rk4", steps: 5000, tolerance: 1e-4 } }, /5000 solver steps/],
    [{ sampler: { ...defaultRun.sampler, label: 8 } }, /a class 8/],
    [{ sampler: { ...defaultRun.sampler, guidance: Number.POSITIVE_INFINITY } }, /guidance of strength Infinity/],
    [{ view: { ...view, jumps: 3 } }, /a map in 3 evaluations/],
    [{ view: { ...view, t: 1.5 } }, /a time 1.5/],
    [{ data: { kind: "ink", title: "", points: [9, 0], deviation: 1 } }, /points outside the picture/],
    [{ data: { kind: "ink", title: "", points: [1, 0], deviation: 0 } }, /points of deviation 0/],
  ])("that asks for what there is not, %j, says which", (part, words) => {
    const { run, message } = runOf(linkOf({ ...defaultRun, ...part }).hash);
    expect(run).toEqual(defaultRun);
    expect(message).toMatch(words);
  });
});
