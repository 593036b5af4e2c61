// Random numbers: the published vectors of the generator, what bits become, and that draws are independent where they
// must be. All seeds are fixed: a bound of 5 standard deviations is met or not, once and for all.
import { describe, expect, test } from "vitest";
import { evaluate } from "../../src/graph/evaluate.ts";
import { randomKinds as kernelKinds } from "../../src/kernels/random.ts";
import { normalFromBits } from "../../src/ops/normal.ts";
import { random } from "../../src/ops/random.ts";
import { table } from "../../src/ops/sources.ts";
import { normalCdf, normalDensity } from "../../src/ops/special.ts";
import { HostRandom, randomBits, randomKinds, randomNumber, seedOf, threefry } from "../../src/ops/threefry.ts";

const COUNT = 2 ** 18;

test.each([
  { words: [0, 0], key: [0, 0], expected: [0x6b200159, 0x99ba4efe] },
  { words: [0xffffffff, 0xffffffff], key: [0xffffffff, 0xffffffff], expected: [0x1cb996fc, 0xbb002be7] },
  { words: [0x243f6a88, 0x85a308d3], key: [0x13198a2e, 0x03707344], expected: [0xc4923a9c, 0x483df7a0] },
])("threefry2x32-20 of $words under $key, as in Random123's kat_vectors", ({ words, key, expected }) => {
  expect(threefry(key as [number, number], words as [number, number])).toEqual(expected);
});

test("kinds are the kernel's, in its order", () => {
  expect([...randomKinds]).toEqual([...kernelKinds]);
});

test("bits of an element follow from seed, stream, counter and element as src/kernels/random.ts says", () => {
  const [seed, stream, counter] = [[17, 4000000000] as const, 3, 4294967295];
  const key = threefry(seed, [stream, 0]);
  const bits = randomBits(seed, stream, counter, 7);
  for (let element = 0; element < 7; element++) {
    expect(bits[element]).toBe(threefry(key, [element >> 1, counter])[element & 1]);
  }
});

test("uniform numbers are multiples of 2^-24 in [0, 1), evenly spread", () => {
  expect(randomNumber("uniform", 0, 0)).toBe(0);
  expect(randomNumber("uniform", 0xffffffff, 0)).toBe(1 - 2 ** -24);
  const draws = new HostRandom(5).draw("uniform", COUNT, 0);
  const bins = new Float64Array(64);
  expect(draws.every((x) => x >= 0 && x < 1 && Number.isInteger(x * 2 ** 24))).toBe(true);
  for (const x of draws) bins[Math.floor(x * 64)]++;
  const expected = COUNT / 64;
  const chiSquare = bins.reduce((total, count) => total + (count - expected) ** 2 / expected, 0);
  expect(Math.abs(chiSquare - 63)).toBeLessThan(5 * Math.sqrt(2 * 63));
});

test("normal numbers have the moments of N(0, 1)", () => {
  const draws = new HostRandom(6).draw("normal", COUNT, 1);
  const moment = (power: number) => draws.reduce((total, x) => total + x ** power, 0) / COUNT;
  const deviations = [1, 2, 15, 96, 945, 10170]; // of x^k: moments 2k minus the squares of moments k
  const moments = [0, 1, 0, 3, 0, 15];
  for (let power = 1; power <= 6; power++) {
    expect(Math.abs(moment(power) - moments[power - 1])).toBeLessThan(5 * Math.sqrt(deviations[power - 1] / COUNT));
  }
});

describe("the inverse normal CDF", () => {
  const LAST = 2 ** 23 - 1;
  const number = (k: number) => normalFromBits((k * 512) >>> 0);

  test("is within 2.2e-7 of the true one, relatively, in the body and in both tails", () => {
    const numerators = [
      ...Array(1000).keys(),
      ...Array.from({ length: 4001 }, (_, i) => Math.round((i * LAST) / 4000)),
    ];
    let worst = 0;
    for (const k of numerators) {
      const x = number(k);
      const below = (2 * k + 1) * 2 ** -24;
      // The tail that x is in, for its digits; a Newton step from x is the error, to second order.
      const error = x < 0 ? normalCdf(x) - below : 1 - below - normalCdf(-x);
      worst = Math.max(worst, Math.abs(error / normalDensity(x) / x));
    }
    expect(worst).toBeLessThan(2.2e-7);
  });

  test("is odd, increasing on average, an f32 number, and at most 5.2947", () => {
    for (let k = 0; k <= LAST; k += 1997) {
      const x = number(k);
      expect(x).toBe(Math.fround(x));
      expect(number(LAST - k)).toBe(-x);
      expect(number(Math.min(LAST, k + 1997))).toBeGreaterThanOrEqual(x);
    }
    expect(number(LAST)).toBeCloseTo(5.2947, 4);
    expect(normalFromBits(0xffffffff)).toBe(number(LAST)); // the low 9 bits do not count
  });
});

test("Rademacher numbers are -1 and 1, as often", () => {
  const draws = new HostRandom(7).draw("rademacher", COUNT, 2);
  expect([...new Set(draws)].sort()).toEqual([-1, 1]);
  expect(Math.abs(draws.reduce((total, x) => total + x, 0))).toBeLessThan(5 * Math.sqrt(COUNT));
});

test("indices are below the bound, exactly floor(bits bound / 2^32)", () => {
  for (const bound of [1, 2, 10, 65537, 2 ** 24 + 1, 2 ** 31, 2 ** 32 - 1]) {
    for (const bits of [0, 1, 429496729, 429496730, 0x7fffffff, 0x80000000, 0xdeadbeef, 0xffffffff]) {
      expect(randomNumber("index", bits, bound)).toBe(Number((BigInt(bits) * BigInt(bound)) >> 32n));
    }
  }
  const counts = new Float64Array(10);
  for (const index of new HostRandom(8).index(COUNT, 10, 3)) counts[index]++;
  for (const count of counts) expect(Math.abs(count - COUNT / 10)).toBeLessThan(5 * Math.sqrt(0.09 * COUNT));
});

test("other seeds, streams and counters give uncorrelated numbers; more of a draw begins with the draw", () => {
  const count = 2 ** 14;
  const reference = new HostRandom(9).draw("normal", count, 4, 5);
  const others = [
    new HostRandom(10).draw("normal", count, 4, 5),
    new HostRandom([9, 1]).draw("normal", count, 4, 5),
    new HostRandom(9).draw("normal", count, 5, 5),
    new HostRandom(9).draw("normal", count, 4, 6),
    reference.map((_, i) => reference[(i + 1) % count]),
  ];
  for (const other of others) {
    const correlation = other.reduce((total, x, i) => total + x * reference[i], 0) / count;
    expect(Math.abs(correlation)).toBeLessThan(5 / Math.sqrt(count));
  }
  expect(new HostRandom(9).draw("normal", 7, 4, 5)).toEqual(reference.slice(0, 7));
});

test("the op draws what the host draws", () => {
  const seed = table([9, 3], [2], "u32");
  const counter = table([77], [1], "u32");
  for (const kind of randomKinds) {
    const bound = kind === "index" ? 1000 : 0;
    const [{ data }] = evaluate([random(kind, [5, 3], { seed, counter, stream: 6, bound })]);
    expect(data).toEqual(new HostRandom([9, 3]).draw(kind, 15, 6, 77, bound));
  }
});

test("a seed is a number's low and high words", () => {
  expect(seedOf(0)).toEqual([0, 0]);
  expect(seedOf(2 ** 53 - 1)).toEqual([0xffffffff, 0x1fffff]);
  expect(seedOf([1, 2])).toEqual([1, 2]);
});
