/** What is taken of an image: where it is dark, in the density of its darkness. */
import { describe, expect, test } from "vitest";
import { darknessOf, darkPlaces } from "../../demo/page/dark.ts";
import { inkAt } from "../../demo/page/letters.ts";

type Colour = readonly [red: number, green: number, blue: number, alpha: number];
const black: Colour = [0, 0, 0, 255];
const white: Colour = [255, 255, 255, 255];
const clear: Colour = [0, 0, 0, 0];
const grey = (level: number): Colour => [level, level, level, 255];

function picture(width: number, height: number, at: (x: number, y: number) => Colour) {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let i = 0; i < width * height; i++) data.set(at(i % width, Math.floor(i / width)), 4 * i);
  return { data, width, height };
}

describe("an image's dark pixels", () => {
  test("are so many points at most, all where it is dark", () => {
    const { places, apart } = darkPlaces(picture(128, 96, (x, y) => (x >= 32 && x < 96 && y < 48 ? black : white)));
    expect(places).toHaveLength(600);
    for (const [x, y] of places) expect(x >= 32 && x < 96 && y > -48 && y <= 0).toBe(true);
    expect(apart).toBeCloseTo(Math.sqrt((64 * 48) / 600), 10);
    expect(new Set(places.map(String)).size).toBe(600);
    // Each quarter has its quarter: places do not clump.
    const counts = [0, 1, 2, 3].map(
      (k) => places.filter(([x, y]) => (x < 64 ? 0 : 1) + (y > -24 ? 0 : 2) === k).length,
    );
    for (const count of counts) expect(Math.abs(count - 150)).toBeLessThanOrEqual(3);
  });

  test("stay apart as evenly as a walk that comes by every pixel once lays them", () => {
    const { places, apart } = darkPlaces(picture(128, 128, () => black));
    for (const [i, [x, y]] of places.slice(1).entries()) {
      const [beforeX, beforeY] = places[i] as [number, number];
      expect(Math.hypot(x - beforeX, y - beforeY)).toBeLessThan(2.5 * apart);
    }
  });

  test("count as they are dark: from a quarter of the darkest on, in proportion", () => {
    const shades = picture(128, 64, (x) => (x < 64 ? grey(0) : grey(255 * 0.375)));
    const own = darknessOf(shades);
    expect(own[0]).toBe(1);
    expect(own[127]).toBeCloseTo(0.5, 2); // (0.625 - 0.25) / 0.75
    const dark = darkPlaces(shades).places.filter(([x]) => x < 64).length;
    expect(Math.abs(dark - 400)).toBeLessThanOrEqual(3);
    // Of a picture without black the darkest counts as black; what is nearly as light as paper does not count.
    expect([...new Set(darknessOf(picture(4, 1, (x) => grey(x === 0 ? 128 : 230))))]).toEqual([1, 0]);
  });

  test("are green rather than red, as eyes see it", () => {
    const own = darknessOf(picture(2, 1, (x) => (x === 0 ? [255, 0, 0, 255] : [0, 255, 0, 255])));
    expect(own[0]).toBe(1);
    expect(own[1]).toBeCloseTo(((1 - 0.7152) / (1 - 0.2126) - 0.25) / 0.75, 6);
  });

  test("are not where it is transparent, and may be the light ones instead", () => {
    const halves = picture(64, 64, (x) => (x < 32 ? clear : x < 48 ? black : white));
    for (const [x] of darkPlaces(halves).places) expect(x >= 32 && x < 48).toBe(true);
    const light = darkPlaces(halves, true).places;
    expect(light).toHaveLength(600);
    for (const [x] of light) expect(x).toBeGreaterThanOrEqual(48);
  });

  test("are none of a blank image, and few of one with few", () => {
    for (const blank of [clear, white, grey(250)])
      expect(darkPlaces(picture(128, 128, () => blank)).places).toEqual([]);
    const dots = picture(128, 128, (x, y) => (x % 64 === 3 && y % 64 === 5 ? black : white));
    expect(darkPlaces(dots).places.sort(([a, b], [c, d]) => a - c || b - d)).toEqual([
      [3, -69],
      [3, -5],
      [67, -69],
      [67, -5],
    ]);
  });

  test("become points about the middle, as wide as the square and as blurred as they are apart", () => {
    const { points, deviation } = inkAt(
      [
        [10, -30],
        [20, -10],
      ],
      4,
    );
    expect(points).toEqual([-1.6, -3.2, 1.6, 3.2]);
    expect(deviation).toBeCloseTo(0.55 * 4 * 0.32, 4);
  });
});
