/** Classes of data: which part a point is of, what is known of a part, how models are told, and what came of it. */
import { describe, expect, test, vi } from "vitest";
import { classesOf, partOf } from "../../demo/field/classes.ts";
import { LOG, newLocal, UX } from "../../demo/field/truth.ts";
import { componentsOf } from "../../demo/field/truths.ts";
import { classColours } from "../../demo/page/class-colours.ts";
import { guidanceWords, toldWords } from "../../demo/page/classes.ts";
import { emptyShown } from "../../demo/page/shown.ts";
import { classRules } from "../../demo/share/code.ts";
import { spreadOf, toldOf } from "../../demo/train/told.ts";
import {
  cfm,
  condOT,
  createRuntime,
  createTrainer,
  classes as declared,
  eightGaussians,
  euler,
  mlp,
  moons,
  pinwheel,
  rings,
  sampleData,
  spirals,
} from "../../src/index.ts";

vi.mock("divflow", () => import("../../src/index.ts"));
vi.mock("divflow/flows", () => import("../../src/flows.ts"));
const { learnedOf } = await import("../../demo/train/data.ts");
const { learnedFlow } = await import("../../demo/train/flow.ts");

const sets = [eightGaussians(), moons(), spirals(), pinwheel(), rings()];

describe.each(sets)("the parts of $name", (source) => {
  const { names, at, truth } = classesOf(source)!;
  const components = componentsOf(source)!;
  const points = sampleData(source, 2000, 3);
  const labels = Array.from({ length: 2000 }, (_, i) => at!(points[2 * i]!, points[2 * i + 1]!));

  test("are as likely as each other", () => {
    for (const [label] of names.entries()) {
      const share = labels.filter((one) => one === label).length / 2000;
      expect(Math.abs(share - 1 / names.length)).toBeLessThan(4 * Math.sqrt(1 / names.length / 2000));
    }
  });

  test("are where their own density is the largest", () => {
    const out = newLocal();
    const log = (label: number, i: number) => {
      truth!(label)!.at(points[2 * i]!, points[2 * i + 1]!, 1, out);
      return out[LOG] as number;
    };
    const wrong = labels
      .slice(0, 300)
      .filter((label, i) => names.some((_, other) => log(other, i) > log(label, i) + 1));
    expect(wrong.length).toBeLessThanOrEqual(3); // the Gaussians that stand for the pinwheel are not it far out
  });

  test("make up the whole: densities and fields are the mean of the parts'", () => {
    const mixture = (x: number, y: number, t: number, out: Float64Array) => {
      const own = newLocal();
      let [density, flux] = [0, 0];
      for (const [label] of names.entries()) {
        truth!(label)!.at(x, y, t, own);
        density += Math.exp(own[LOG]!) / names.length;
        flux += (Math.exp(own[LOG]!) * own[UX]!) / names.length;
      }
      out[LOG] = Math.log(density);
      out[UX] = flux / density;
    };
    const [mixed, all] = [newLocal(), newLocal()];
    mixture(0.7, -1.1, 0.6, mixed);
    learnedOf({ kind: "named", name: source.name }).truth!.at(0.7, -1.1, 0.6, all);
    expect(mixed[LOG]).toBeCloseTo(all[LOG]!, 6);
    expect(mixed[UX]).toBeCloseTo(all[UX]!, 6);
    expect(partOf(components, () => true).weights).toHaveLength(components.weights.length);
  });

  test("are what the program of a run says they are", () => {
    const { count, rule } = classRules[source.name]!;
    expect(count).toBe(names.length);
    const own = new Function("x", "y", `return ${rule};`) as (x: number, y: number) => number;
    for (let i = 0; i < 500; i++) expect(own(points[2 * i]!, points[2 * i + 1]!)).toBe(labels[i]);
  });
});

describe("data by class", () => {
  test("are points with labels, the same by seed; without the switch they are what they were", () => {
    const choice = { kind: "named", name: "moons" } as const;
    const learned = learnedOf(choice, { byClass: true, seed: 7 });
    expect(learned.source.conditions).toMatchObject({ label: { classes: 2 } });
    expect(learned.source.options).toEqual(learnedOf(choice, { byClass: true, seed: 7 }).source.options);
    expect(learned.source.options).not.toEqual(learnedOf(choice, { byClass: true, seed: 8 }).source.options);
    expect(learnedOf(choice).source.name).toBe("moons");
    expect(learnedOf({ kind: "named", name: "checkerboard" }, { byClass: true }).source.name).toBe("checkerboard");
  });

  const rows = Array.from({ length: 60 }, (_, i) => `${Math.sin(i)},${i % 3 === 0 ? "b" : "a"},${Math.cos(i)}`);
  const table = (label?: number) => ({
    ...{ kind: "table" as const, title: "t.csv", bytes: new TextEncoder().encode(`x,kind,y\n${rows.join("\n")}\n`) },
    ...{ columns: [0, 2] as const, ...(label === undefined ? {} : { label }) },
  });

  test("of a table are those of a column, of the rows that are trained on", () => {
    const { classes, sample, columns, source } = learnedOf(table(1), { byClass: true });
    expect(classes?.names).toEqual(["a", "b"]);
    expect(columns).toMatchObject({ used: [0, 2], label: 1 });
    const trained = rows.filter((_, i) => i % 5 !== 4).map((row) => (row.includes("b") ? 1 : 0));
    expect([...classes!.labelsOf(sample(1000, 0))]).toEqual(trained);
    expect(source.conditions).toMatchObject({ label: { classes: 2 } });
    const points = sample(1000, 0);
    const out = newLocal();
    // Of single points, those of b: nearly at one of them, its own density is what there is.
    classes!.truth!(1)!.at(0.98 * points[0]!, 0.98 * points[1]!, 0.98, out);
    const count = trained.filter((label) => label === 1).length;
    expect(out[LOG]).toBeCloseTo(-Math.log(2 * Math.PI * 0.02 ** 2 * count), 1);
    expect(learnedOf(table()).classes).toBeUndefined();
  });

  test.each([
    [Array.from({ length: 30 }, (_, i) => `${i},k${i % 9},${i}`), /label column of t.csv has 9 values; 2 to 8/],
    [Array.from({ length: 30 }, (_, i) => `${i},k,${i}`), /has one value, k; 2 to 8/],
  ])("are not those of a column of too many or one", (lines, words) => {
    const bytes = new TextEncoder().encode(`x,kind,y\n${lines.join("\n")}\n`);
    expect(() => learnedOf({ ...table(1), bytes })).toThrow(words);
  });
});

describe("a model that is told classes", () => {
  const sampler = { solver: "euler", steps: 2, tolerance: 1e-4 } as const;

  test("is told each particle's, or the one that is wanted as strongly as is wanted, or none", async () => {
    using runtime = await createRuntime({ backend: "wasm" });
    const { source } = learnedOf({ kind: "named", name: "rings" }, { byClass: true });
    const network = mlp({ dimension: 2, hidden: [8], conditions: { label: declared(4, { drop: 0.15 }) } });
    using trainer = await createTrainer(runtime, { network, path: condOT(), loss: cfm(), data: source, batchSize: 16 });
    const { model } = trainer;
    const noise = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i));
    const all = learnedFlow(model, { sampler: { ...sampler, guidance: 2.5 }, steps: 2 });
    expect([...all.labels!(6)]).toEqual([0, 1, 2, 3, 0, 1]);
    const frames = await all.frames(noise, [0, 1], all.labels!(4));
    const own = await model.sample({
      noise,
      solver: euler({ steps: 2 }),
      conditions: { label: [0, 1, 2, 3, null, null] },
      guidance: 2.5,
    });
    expect([...frames.subarray(12)]).toEqual([...own.values]);

    const one = learnedFlow(model, { sampler: { ...sampler, label: 2, guidance: 2.5 }, steps: 2 });
    expect([...one.labels!(2)]).toEqual([2, 2]);
    const [times, told] = [new Float32Array(6).fill(0.5), { conditions: { label: 2 }, guidance: 2.5 }];
    expect(await one.velocity(noise, 0.5)).toEqual(await model.velocity(noise, times, told));
    expect(await all.velocity(noise, 0.5)).toEqual(await model.velocity(noise, times, { conditions: { label: null } }));
    expect(await one.velocity(noise, 0.5)).not.toEqual(await all.velocity(noise, 0.5));
  });

  test("has its samples counted where they should be, and their spread compared with the data's", () => {
    const at = (x: number) => (x < 0 ? 0 : 1);
    const classes = {
      ...{
        names: ["l", "r"],
        at,
        labelsOf: (points: Float32Array) =>
          Uint8Array.from({ length: points.length / 2 }, (_, i) => at(points[2 * i]!)),
      },
    };
    const frames = {
      ...{ times: [0, 1], lattice: new Float32Array(), latticeSide: 0, evaluations: 1 },
      particles: Float32Array.of(9, 9, 9, 9, 9, 9, 9, 9, -1, 0, -3, 0, 1, 0, -1, 0),
      labels: Uint8Array.of(0, 0, 1, 1),
    };
    const told = toldOf(frames, classes, Float32Array.of(-1, 1, -1, -1, 5, 0.5, 5, -0.5));
    expect(told?.hits).toBe(0.75);
    // Samples are 1 from the means of their classes, -2 and 0; data 1 and 1/2 from theirs.
    expect(told?.spread).toBeCloseTo(1 / Math.sqrt((1 + 0.25) / 2), 6);
    // Of the class that was asked for, beside the data's points of that class alone.
    const one = { ...frames, labels: Uint8Array.of(1, 1, 1, 1), particles: frames.particles.map((x) => x + 5) };
    expect(toldOf(one, classes, Float32Array.of(-1, 1, -1, -1, 5, 0.5, 5, -0.5))?.spread).toBeCloseTo(
      Math.SQRT2 / 0.5,
      6,
    );
    expect(spreadOf(Float32Array.of(0, 3, 4, 0), Uint8Array.of(1, 1))).toBeCloseTo(2.5, 6);
    expect(toldOf({ ...frames, labels: undefined }, classes, new Float32Array())).toBeUndefined();
  });

  test("is spoken of in words", () => {
    const titles = { left: "CFM", right: "FDM 1" };
    const shown = (hits: number | undefined) => ({
      ...{ ...emptyShown(), step: 10 },
      frames: { told: { labels: new Uint8Array(), hits, spread: 0.5 } } as never,
    });
    expect(toldWords({ left: shown(0.987), right: shown(undefined) }, titles)).toBe(
      "CFM: 98.7 % of samples in their class, spread 0.50 of the data's. FDM 1: spread 0.50 of the data's.",
    );
    expect(toldWords({ left: emptyShown(), right: emptyShown() }, titles)).toMatch(/^Train to see/);
    expect([0, 1, 2.5].map(guidanceWords)).toEqual(["0 (not told)", "1 (as told)", "2.5"]);
  });
});

describe.each([
  ["light", "#ffffff"],
  ["dark", "#181c26"],
] as const)("colours of classes, %s", (theme, card) => {
  const colours = classColours(theme === "dark");

  test("are told apart from each other by any eyes, and from the paper", () => {
    const seen = colours.map((colour) => visions.map((vision) => oklab(vision, linear(colour))));
    for (let i = 0; i < 8; i++) {
      for (let k = 0; k < i; k++) {
        const apart = seen[i]!.map((own, eyes) => Math.hypot(...own.map((one, axis) => one - seen[k]![eyes]![axis]!)));
        expect(Math.min(...apart), `${colours[i]} ${colours[k]}`).toBeGreaterThan(0.13);
      }
      const [a, b] = [luminance(colours[i]!), luminance(card)].sort((one, other) => other - one);
      expect((a! + 0.05) / (b! + 0.05), colours[i]).toBeGreaterThan(2.6);
    }
  });
});

type Three = readonly [number, number, number];
/** Machado, Oliveira and Fernandes (2009), severity 1: all cones, without red, green, blue ones. */
const visions: readonly (readonly [Three, Three, Three])[] = [
  [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
];

function linear(colour: string): number[] {
  const of = (value: number) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  return [1, 3, 5].map((at) => of(Number.parseInt(colour.slice(at, at + 2), 16) / 255));
}

const luminance = (colour: string) => {
  const [r, g, b] = linear(colour) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

/** Ottosson's space, in which distances are as eyes have them. */
function oklab(vision: readonly Three[], colour: readonly number[]): Three {
  const [r, g, b] = vision.map((row) =>
    Math.min(
      1,
      Math.max(
        0,
        row.reduce((sum, one, i) => sum + one * colour[i]!, 0),
      ),
    ),
  ) as [number, number, number];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}
