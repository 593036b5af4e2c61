// A value far beyond its column's others is remarked on; what is ordinary, though of long tails, is not.
import { describe, expect, test } from "vitest";
import { farNotes } from "../../src/cli/far-values.ts";
import { sampleData } from "../../src/data/sample.ts";
import { readCsv } from "../../src/data.ts";
import { dataFrom, dataNames } from "../../src/index.ts";

/** Numbers in (0, 1) that follow from the seed (mulberry32). */
function uniforms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
}

function normals(seed: number): () => number {
  const uniform = uniforms(seed);
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

const column = (values: readonly number[]) =>
  farNotes({ values: Float64Array.from(values), count: values.length, dimension: 1 });
const of = (count: number, value: (i: number) => number) => Array.from({ length: count }, (_, i) => value(i));

describe("a value far out", () => {
  const ordinary = of(500, (i) => 2 * Math.sin(i + 1));

  test.each([
    [1e30, "1.000e+30"],
    [-1e30, "1.000e+30"],
    [2100, "2100"],
    [-9999, "9999"],
  ])("of %s is remarked on, wherever it stands", (value, shown) => {
    for (const at of [0, 250, 499]) {
      const [note = "", ...others] = column(ordinary.with(at, value));
      expect(note).toMatch(`Column 1 reaches ${shown}, over 1,000 times the size of 99 in 100 values there:`);
      expect(others).toEqual([]);
    }
  });

  test("counts up to one in a hundred, alone in few rows, and not below a thousand times", () => {
    const several = (count: number) => ordinary.map((value, i) => (i % 100 < count ? 5000 : value));
    expect(column(several(1))).toHaveLength(1);
    expect(column(several(2))).toEqual([]);
    expect(column([...ordinary.slice(0, 9), 1e30])).toHaveLength(1);
    expect(column([...ordinary.slice(0, 8), 1e30])).toEqual([]);
    expect(column(ordinary.with(3, 1990).map((value) => Math.sign(value) * Math.max(2, Math.abs(value))))).toEqual([]);
  });

  test("names all columns that have one", () => {
    const text = ordinary.map((value, i) => `${i === 7 ? 1e30 : value},${-value},${i === 9 ? -1e20 : value * value}`);
    const points = readCsv(new TextEncoder().encode(`a,b,c\n${text.join("\n")}\n`));
    expect(farNotes(points)).toEqual([
      expect.stringMatching(/^Columns "a", "c" reach 1\.000e\+30, 1\.000e\+20, over 1,000 times/),
    ]);
  });
});

describe("nothing is said", () => {
  test.each(dataNames.map((name) => ({ name })))("of the data set $name", ({ name }) => {
    const source = dataFrom({ name, options: {} });
    const count = 2000;
    expect(farNotes({ values: sampleData(source, count, 3), count, dimension: source.dimension })).toEqual([]);
  });

  test.each([
    { name: "one of two hundred kinds", value: (i: number) => (i % 200 === 3 ? 1 : 0) },
    { name: "one row of a kind", value: (i: number) => (i === 3 ? 1 : 0) },
    { name: "few counts among zeros", value: (i: number) => (i % 50 === 0 ? 1 + (i % 300) : 0) },
    { name: "times in milliseconds", value: (i: number) => 1.7e12 + i * i },
    { name: "powers of two", value: (i: number) => 2 ** (i % 40) },
  ])("of $name", ({ value }) => {
    expect(column(of(2000, value))).toEqual([]);
  });

  test.each(of(20, (seed) => seed))("of long tails, seed %s", (seed) => {
    const [normal, uniform] = [normals(seed), uniforms(seed + 100)];
    for (const count of [10, 30, 100, 1000, 20_000]) {
      expect(column(of(count, () => Math.exp(normal())))).toEqual([]);
      expect(column(of(count, () => Math.exp(2 * normal())))).toEqual([]);
      expect(column(of(count, () => -Math.log(uniform())))).toEqual([]);
      expect(column(of(count, () => normal() / Math.sqrt(-Math.log(uniform()) / 1.5)))).toEqual([]);
      expect(column(of(count, () => uniform() ** (-1 / 1.5)))).toEqual([]); // Pareto's, without a variance
    }
  });
});
