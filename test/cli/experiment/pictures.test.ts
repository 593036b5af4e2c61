/** Experiments on pictures: their measures against closed forms and arrays by hand, files of pictures, and tiny runs. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { conduct, type Plan } from "../../../src/cli/experiment/conduct.ts";
import type { Experiment, Judgement } from "../../../src/cli/experiment/experiment.ts";
import { type Features, frechetDistance, frechetWithError } from "../../../src/cli/experiment/frechet.ts";
import { outcomeOf } from "../../../src/cli/experiment/outcome-of.ts";
import { dequantisedSource, spreadRows } from "../../../src/cli/experiment/pictures/data.ts";
import { digits, digitsOf } from "../../../src/cli/experiment/pictures/digits.ts";
import { listPictures, readNetpbm, readPictures } from "../../../src/cli/experiment/pictures/folder.ts";
import { images } from "../../../src/cli/experiment/pictures/images.ts";
import { nearestOf } from "../../../src/cli/experiment/pictures/nearest.ts";
import {
  bitsPerDimension,
  dequantised,
  firstPictures,
  levelsOf,
  middles,
} from "../../../src/cli/experiment/pictures/picture.ts";
import { rowsByClass } from "../../../src/cli/experiment/pictures/pictures.ts";
import { readPng } from "../../../src/cli/experiment/pictures/png-file.ts";
import { resized } from "../../../src/cli/experiment/pictures/resize.ts";
import { checkPictureSettings, quickSettings } from "../../../src/cli/experiment/pictures/settings.ts";
import { sheetOf } from "../../../src/cli/experiment/pictures/sheet.ts";
import { randomNumbers } from "../../../src/cli/experiment/random-numbers.ts";
import { reportOf } from "../../../src/cli/experiment/report.ts";
import { beQuiet } from "../../../src/cli/output.ts";
import { png } from "../../../src/cli/report/png.ts";
import { cfm, condOT, createRuntime, createTrainer, rk4, sampleData, writeNpy } from "../../../src/index.ts";
import { defineNetwork, linearLayer, ops, startingAtZero } from "../../../src/networks.ts";

const everyLevel = Uint8Array.from({ length: 256 }, (_, level) => level);

describe("levels", () => {
  test("are somewhere in their own part of [-1, 1), and are found again", () => {
    const levels = Uint8Array.from({ length: 4096 }, (_, i) => i % 256);
    const shown = dequantised(levels, 3);
    expect(levelsOf(shown)).toEqual(levels);
    expect(levelsOf(middles(levels))).toEqual(levels);
    // Uniform within: mean 1/2, variance 1/12.
    const within = Array.from(shown, (value, i) => (value + 1) * 128 - (levels[i] as number));
    const mean = within.reduce((sum, one) => sum + one, 0) / within.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / within.length));
    expect(Math.min(...within)).toBeGreaterThanOrEqual(-1e-4);
    expect(Math.max(...within)).toBeLessThan(1 + 1e-4);
    expect(dequantised(levels, 4)).not.toEqual(shown);
  });

  test("beyond the ends are the last ones", () => {
    expect([...levelsOf([-3, -1, 0, 0.9999, 1, 7])]).toEqual([0, 0, 128, 255, 255, 255]);
    expect(middles([0, 255])).toEqual(Float32Array.of(-1 + 1 / 256, 1 - 1 / 256));
  });
});

describe("bits per dimension", () => {
  test("of the uniform density are 8, and of one on a single level 0", () => {
    const dimension = 12;
    expect(bitsPerDimension(-dimension * Math.log(2), dimension)).toBeCloseTo(8, 12);
    expect(bitsPerDimension(dimension * Math.log(128), dimension)).toBeCloseTo(0, 12);
  });

  test("of a model whose density is known: an untrained one, which is N(0, I)", async () => {
    using runtime = await createRuntime({ backend: "wasm", threads: 1 });
    const layer = linearLayer("layer", 16, 16, startingAtZero);
    const network = defineNetwork({
      ...{ name: "still", sample: [4, 4, 1], parameters: layer.parameters },
      apply: ({ x }, values) => layer.apply(values, ops.reshape(x, [x.shape[0] as number, 16])),
    });
    const pictures = { levels: everyLevel, labels: new Uint8Array(16), count: 16, height: 4, width: 4, channels: 1 };
    using trainer = await createTrainer(runtime, {
      ...{ network, path: condOT(), loss: cfm(), data: dequantisedSource(pictures, undefined), batchSize: 4 },
    });
    const shown = dequantised(everyLevel, 5);
    const { values } = await trainer.model.logDensity(shown, {
      ...{ solver: rk4({ steps: 4 }), probes: 2 },
      divergence: "hutchinson", // of a velocity of 0 it is exact
    });
    const bits = values.reduce((sum, nats) => sum + bitsPerDimension(nats, 16) / 16, 0);
    const squares = shown.reduce((sum, x) => sum + x * x, 0) / 256;
    expect(bits).toBeCloseTo((0.5 * Math.log(2 * Math.PI) + squares / 2) / Math.LN2 + 7, 4);
    // No less than what the levels' own probabilities cost, which a quadrature of N(0, 1) over each level gives.
    const cost = everyLevel.reduce((sum, level) => {
      const [from, parts] = [level / 128 - 1, 50];
      const share = Array.from({ length: parts }, (_, i) => from + (i + 0.5) / (128 * parts)).reduce(
        (all, x) => all + Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI) / (128 * parts),
        0,
      );
      return sum - Math.log2(share) / 256;
    }, 0);
    expect(bits).toBeGreaterThan(cost - 1e-3);
    expect(bits).toBeLessThan(cost + 0.01);
  });
});

/** Rows with exactly this mean and, with one row less in the divisor, the covariance L L^T. */
function rowsWith(mean: readonly number[], root: readonly (readonly number[])[]): Features {
  const width = mean.length;
  const count = 2 * width;
  const scale = Math.sqrt((count - 1) / 2);
  const rows = [1, -1].flatMap((sign) =>
    Array.from({ length: width }, (_, k) => mean.map((at, i) => at + sign * scale * (root[i]?.[k] as number))),
  );
  return { values: rows.flat(), count, width };
}

describe("Fréchet distance", () => {
  test("of Gaussians along the axes", () => {
    const a = rowsWith(
      [1, 2, 3],
      [
        [2, 0, 0],
        [0, 1, 0],
        [0, 0, 0],
      ],
    );
    const b = rowsWith(
      [1, 0, 7],
      [
        [1, 0, 0],
        [0, 3, 0],
        [0, 0, 2],
      ],
    );
    expect(frechetDistance(a, b)).toBeCloseTo(4 + 16 + 1 + 4 + 4, 10);
    expect(frechetDistance(b, a)).toBeCloseTo(29, 10);
    expect(frechetDistance(a, a)).toBeCloseTo(0, 10);
  });

  test("of covariances that do not commute", () => {
    const [l, m] = [
      [
        [2, 0],
        [1, 1],
      ],
      [
        [1, 0],
        [-3, 0.5],
      ],
    ];
    const squared = ([p, q, r, s]: readonly [number, number, number, number]) => [
      p * p + q * q,
      p * r + q * s,
      r * r + s * s,
    ];
    const [a, b] = [squared([2, 0, 1, 1]), squared([1, 0, -3, 0.5])];
    // Of 2 x 2: tr (AB)^1/2 = sqrt(tr AB + 2 sqrt det AB).
    const traceOfProduct =
      (a[0] as number) * (b[0] as number) +
      2 * (a[1] as number) * (b[1] as number) +
      (a[2] as number) * (b[2] as number);
    const determinants = [a, b].map(([x, y, z]) => (x as number) * (z as number) - (y as number) ** 2);
    const root = Math.sqrt((determinants[0] as number) * (determinants[1] as number));
    const expected =
      (a[0] as number) +
      (a[2] as number) +
      (b[0] as number) +
      (b[2] as number) -
      2 * Math.sqrt(traceOfProduct + 2 * root);
    expect(frechetDistance(rowsWith([0, 0], l), rowsWith([0, 0], m))).toBeCloseTo(expected, 9);
  });

  test("of many dimensions that were turned is that of those that were not", () => {
    const width = 16;
    const values = randomNumbers("normal", 200 * width, 1);
    const others = Float64Array.from(randomNumbers("normal", 200 * width, 2), (x, i) => 1 + x * (1 + (i % width) / 8));
    const turned = (all: ArrayLike<number>) => {
      const result = Float64Array.from(all);
      for (let i = 0; i + 1 < width; i++) {
        const [c, s] = [Math.cos(i + 1), Math.sin(i + 1)];
        for (let at = i; at < result.length; at += width) {
          const [x, y] = [result[at] as number, result[at + 1] as number];
          [result[at], result[at + 1]] = [c * x - s * y, s * x + c * y];
        }
      }
      return result;
    };
    const features = (all: ArrayLike<number>) => ({ values: all, count: 200, width });
    const straight = frechetDistance(features(values), features(others));
    expect(frechetDistance(features(turned(values)), features(turned(others)))).toBeCloseTo(straight, 8);
    expect(straight).toBeGreaterThan(width);
  });

  test("has an error like its spread over samples", () => {
    const draw = (seed: number) => ({ values: randomNumbers("normal", 4 * 300, seed), count: 300, width: 4 });
    const found = Array.from({ length: 30 }, (_, i) => frechetDistance(draw(10 + i), draw(100 + i)));
    const mean = found.reduce((sum, one) => sum + one, 0) / 30;
    const spread = Math.sqrt(found.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 29);
    const { value, error } = frechetWithError(draw(1), draw(2), 3);
    expect(value).toBe(frechetDistance(draw(1), draw(2)));
    expect(error / spread).toBeGreaterThan(0.4);
    expect(error / spread).toBeLessThan(3);
    expect(frechetWithError(draw(1), draw(2), 3).error).toBe(error);
  });
});

const grey = (levels: readonly number[], height: number, width: number) => ({
  ...{ levels: Uint8Array.from(levels), height, width, channels: 1 },
  count: levels.length / (height * width),
});

test("the nearest pictures and how far they are", async () => {
  const among = grey([0, 0, 0, 0, 10, 10, 10, 10, 200, 200, 200, 210], 2, 2);
  let turns = 0;
  const found = await nearestOf(grey([9, 10, 11, 10, 200, 200, 200, 200], 2, 2), among, async () => {
    turns++;
  });
  expect([...found.rows]).toEqual([1, 2]);
  expect([...found.distances]).toEqual([Math.sqrt(2 / 4), 5]);
  expect(turns).toBe(1);
});

test("rows spread over all, each once", () => {
  expect(spreadRows(10, 5)).toEqual([0, 2, 4, 6, 8]);
  expect(spreadRows(3, 5)).toEqual([0, 1, 2]);
  expect(spreadRows(7, 3)).toEqual([0, 2, 4]);
});

describe("resizing", () => {
  test("takes means of what a place covers, of the middle square", () => {
    const four = grey([0, 4, 8, 8, 0, 4, 8, 8, 1, 1, 9, 9, 1, 1, 9, 10], 4, 4);
    expect([...resized(four, 2).levels]).toEqual([2, 8, 1, 9]);
    // 2 x 4: the two columns in the middle.
    expect([...resized(grey([99, 10, 20, 99, 99, 30, 40, 99], 2, 4), 1).levels]).toEqual([25]);
    // Three places to two: the one in the middle is in both by halves of theirs.
    expect([...resized(grey([0, 90, 30, 0, 90, 30, 0, 90, 30], 3, 3), 2).levels]).toEqual([30, 50, 30, 50]);
    expect(resized(four, 4)).toBe(four);
  });

  test("keeps colours and pictures apart", () => {
    const levels = Uint8Array.from({ length: 2 * 4 * 3 }, (_, i) => (i % 3) * 10 + (i < 12 ? 0 : 100));
    const { levels: own } = resized({ levels, count: 2, height: 2, width: 2, channels: 3 }, 1);
    expect([...own]).toEqual([0, 10, 20, 100, 110, 120]);
  });
});

test("what models train on is each picture somewhere in its levels, anew for each row", () => {
  const pictures = { ...grey([0, 10, 20, 30, 200, 210, 220, 255], 2, 2), labels: Uint8Array.of(1, 0) };
  const drawn = sampleData(dequantisedSource(pictures, ["a", "b"]), 400, 3);
  const rows = Array.from({ length: 400 }, (_, i) => [...levelsOf(drawn.subarray(4 * i, 4 * i + 4))].join(" "));
  const first = rows.filter((row) => row === "0 10 20 30").length;
  expect(first + rows.filter((row) => row === "200 210 220 255").length).toBe(400);
  expect(Math.abs(first - 200)).toBeLessThan(50); // five deviations
  const within = Array.from(drawn, (value) => ((value + 1) * 128) % 1).sort((a, b) => a - b);
  within.forEach((value, i) => {
    expect(Math.abs(value - i / within.length)).toBeLessThan(0.05); // Kolmogorov's, far beyond chance
  });
});

test("a sheet has its pictures in their places, grey between them", () => {
  const { width, height, pixels } = sheetOf(grey([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 2, 2), [[0, 2], [1]]);
  expect([width, height]).toEqual([5, 5]);
  const lines = Array.from({ length: 5 }, (_, y) => Array.from({ length: 5 }, (_, x) => pixels[(y * 5 + x) * 3 + 1]));
  expect(lines).toEqual([
    [1, 2, 128, 9, 10],
    [3, 4, 128, 11, 12],
    [128, 128, 128, 128, 128],
    [5, 6, 128, 128, 128],
    [7, 8, 128, 128, 128],
  ]);
  const colours = { levels: Uint8Array.of(1, 2, 3), count: 1, height: 1, width: 1, channels: 3 };
  expect([...sheetOf(colours, [[0]]).pixels]).toEqual([1, 2, 3]);
});

test("a sheet's rows are of a class each, or of what comes first", () => {
  expect(rowsByClass([0, 2, 0, 2, 2], ["a", "b", "c"])).toEqual([
    [0, 2],
    [1, 3, 4],
  ]);
  expect(rowsByClass(new Uint8Array(10), undefined)).toEqual([
    [0, 1, 2, 3, 4, 5, 6, 7],
    [8, 9],
  ]);
});

/** A PNG of these packed rows, each with a filter of its own. */
function pngOf(
  header: readonly number[],
  rows: readonly Uint8Array[],
  step: number,
  palette?: readonly number[],
): Uint8Array {
  const chunk = (type: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(data.length, 0);
    ends.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  };
  const [width, height, depth, colour, interlaced = 0] = header as [number, number, number, number, number?];
  const first = Buffer.alloc(13);
  first.writeUInt32BE(width, 0);
  first.writeUInt32BE(height, 4);
  first.set([depth, colour, 0, 0, interlaced], 8);
  const filtered = rows.map((row, y) => {
    const above = rows[y - 1] ?? new Uint8Array(row.length);
    const filter = (y + 1) % 5;
    const guess = (x: number) => {
      const [a, b, c] = [row[x - step] ?? 0, above[x] ?? 0, (x >= step ? above[x - step] : 0) ?? 0];
      const p = a + b - c;
      const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
      const paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
      return [0, a, b, Math.floor((a + b) / 2), paeth][filter] as number;
    };
    return Uint8Array.of(filter, ...Array.from(row, (value, x) => value - guess(x)));
  });
  const packed = deflateSync(Buffer.concat(filtered));
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk("IHDR", first),
    ...(palette ? [chunk("PLTE", Uint8Array.from(palette))] : []),
    chunk("IDAT", packed.subarray(0, 5)),
    chunk("IDAT", packed.subarray(5)),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

const bytesOf = (count: number, seed: number) => {
  return Uint8Array.from(randomNumbers("uniform", count, seed), (value) => Math.floor(256 * value));
};
const rowsOf = (all: Uint8Array, width: number) =>
  Array.from({ length: all.length / width }, (_, y) => all.subarray(y * width, (y + 1) * width));

describe("PNG files", () => {
  test("of every filter", () => {
    const colours = bytesOf(6 * 7 * 3, 1);
    expect(readPng(pngOf([6, 7, 8, 2], rowsOf(colours, 18), 3), "a.png")).toEqual({
      ...{ levels: colours, height: 7, width: 6, channels: 3 },
    });
    expect(readPng(png(6, 7, colours), "a.png").levels).toEqual(colours);
    const greys = bytesOf(5 * 6, 2);
    expect(readPng(pngOf([5, 6, 8, 0], rowsOf(greys, 5), 1), "a.png")).toMatchObject({ levels: greys, channels: 1 });
  });

  test("of 16 bits, of few bits, of a palette", () => {
    const wide = bytesOf(3 * 2 * 2, 3);
    expect([...readPng(pngOf([3, 2, 16, 0], rowsOf(wide, 6), 2), "a.png").levels]).toEqual(
      [...wide].filter((_, i) => i % 2 === 0),
    );
    // Five pixels of 2 bits in a row: 0, 1, 2, 3, 1; of 1 bit: 1, 0, 1, 1, 0.
    const four = pngOf([5, 1, 2, 0], [Uint8Array.of(0b00011011, 0b01000000)], 1);
    expect([...readPng(four, "a.png").levels]).toEqual([0, 85, 170, 255, 85]);
    const two = pngOf([5, 1, 1, 3], [Uint8Array.of(0b10110000)], 1, [1, 2, 3, 4, 5, 6]);
    expect([...readPng(two, "a.png").levels]).toEqual([4, 5, 6, 1, 2, 3, 4, 5, 6, 4, 5, 6, 1, 2, 3]);
  });

  test("lay what is transparent over white", () => {
    const file = pngOf([3, 1, 8, 4], [Uint8Array.of(100, 255, 100, 0, 100, 51)], 2);
    expect([...readPng(file, "a.png").levels]).toEqual([100, 255, Math.round(0.2 * 100 + 0.8 * 255)]);
  });

  const whole = pngOf([5, 6, 8, 0], rowsOf(bytesOf(30, 2), 5), 1);
  const changed = (at: number, to: number) => whole.map((byte, i) => (i === at ? to : byte));
  test.each([
    ["no PNG at all", Uint8Array.from([1, 2, 3]), /no PNG file/],
    ["its end cut off", whole.subarray(0, whole.length - 20), /ends in the middle/],
    ["a byte that changed", changed(43, 77), /checksum/],
    ["an interlaced one", pngOf([5, 6, 8, 0, 1], rowsOf(bytesOf(30, 2), 5), 1), /interlaced PNG.*without interlacing/],
    ["rows that are missing", pngOf([5, 7, 8, 0], rowsOf(bytesOf(30, 2), 5), 1), /36 bytes of pixels, too few/],
    ["colours of no kind", pngOf([5, 6, 8, 5], rowsOf(bytesOf(30, 2), 5), 1), /colours of kind 5/],
    ["a colour beyond the palette", pngOf([1, 1, 8, 3], [Uint8Array.of(9)], 1, [1, 2, 3]), /palette/],
  ])("refused: %s", (_, bytes, words) => {
    expect(() => readPng(bytes, "a.png")).toThrow(words);
  });
});

test("binary PGM and PPM, with comments", () => {
  const file = (head: string, ...pixels: number[]) => Buffer.concat([Buffer.from(head), Buffer.from(pixels)]);
  expect(readNetpbm(file("P5\n# by hand\n2 1\n255\n", 7, 9), "a.pgm")).toEqual({
    ...{ levels: Uint8Array.of(7, 9), height: 1, width: 2, channels: 1 },
  });
  expect([...readNetpbm(file("P6 1 1 51 ", 0, 17, 51), "a.ppm").levels]).toEqual([0, 85, 255]);
  expect(() => readNetpbm(file("P5 2 2 255 ", 1, 2), "a.pgm")).toThrow(/a\.pgm.*ends in the middle/);
  expect(() => readNetpbm(file("P2 2 2 255 ", 1, 2), "a.pgm")).toThrow(/P5, P6/);
});

test("digits of half a side are means of four places", () => {
  const all = digitsOf(28);
  const half = digitsOf(14);
  expect([half.count, half.height, half.width, half.channels]).toEqual([10_000, 14, 14, 1]);
  expect(half.labels).toEqual(all.labels);
  const row = 4321;
  const [a = 0, b = 0, c = 0, d = 0] = [0, 1, 28, 29].map((at) => all.levels[row * 784 + 12 * 28 + 12 + at]);
  expect(half.levels[row * 196 + 6 * 14 + 6]).toBe(Math.round((a + b + c + d) / 4));
  expect(Math.max(...firstPictures(all, 50).levels)).toBe(255);
});

test.each([
  [{ multipliers: "1-x" }, /--set multipliers/],
  [{ side: 15 }, /--set side: got 15, expected a multiple of 2/],
  [{ drop: 0 }, /--set drop/],
  [{ heldOut: 0 }, /--set heldOut/],
  [{ form: "both" }, /--set form/],
  [{ guided: 5000 }, /at most 1000.*samples=5000/],
  [{ steps: 1 }, /--set steps/],
])("settings %o are refused", (changed, words) => {
  expect(() => checkPictureSettings({ ...quickSettings(14), ...changed })).toThrow(words);
});

let base: string;
const pathOf = (...names: string[]) => join(base, ...names);
beforeAll(async () => {
  beQuiet();
  base = await mkdtemp(join(tmpdir(), "pictures-"));
});
afterAll(() => rm(base, { recursive: true, force: true }));

/** Writes a folder of pictures, brightest in the upper or in the lower half, by its class. */
async function folderOf(name: string, classes: readonly string[], each = 24, side = 8): Promise<string> {
  for (const [label, folder] of classes.entries()) {
    await mkdir(pathOf(name, folder), { recursive: true });
    const noise = bytesOf(each * side * side, 7 + label);
    for (let i = 0; i < each; i++) {
      const levels = noise.subarray(i * side * side, (i + 1) * side * side).map((value, at) => {
        return at < (side * side) / 2 === (label === 0) ? 128 + value / 2 : value / 4;
      });
      const rows = rowsOf(levels, side);
      await writeFile(pathOf(name, folder, `${i}.png`), pngOf([side, side, 8, 0], rows, 1));
    }
  }
  return pathOf(name);
}

describe("folders", () => {
  test("whose folders are classes", async () => {
    const path = await folderOf("classes", ["down", "up"]);
    await writeFile(pathOf("classes", "notes.txt"), "not a picture");
    const { pictures, classes } = readPictures(path, 8);
    expect(classes).toEqual(["down", "up"]);
    expect([pictures.count, pictures.height, pictures.width, pictures.channels]).toEqual([48, 8, 8, 1]);
    expect([...pictures.labels]).toEqual([...Array(24).fill(0), ...Array(24).fill(1)]);
    expect(pictures.levels[0]).toBeGreaterThanOrEqual(128); // 0.png of "down" is bright above
    expect(readPictures(path, 4).pictures.levels).toHaveLength(48 * 16);
  });

  test("without classes, with coloured ones among grey ones, and arrays", async () => {
    const path = await folderOf("alone", ["."]);
    expect(listPictures(path).classes).toBeUndefined();
    await writeFile(pathOf("alone", "z.png"), png(8, 8, new Uint8Array(192).fill(9)));
    const { pictures } = readPictures(path, 0);
    expect([pictures.count, pictures.channels]).toEqual([25, 3]);
    expect([...pictures.levels.subarray(0, 6)].every((value, i, all) => value === all[i - (i % 3)])).toBe(true);
    const levels = Float32Array.from({ length: 20 * 4 }, (_, i) => i);
    await writeFile(pathOf("levels.npy"), writeNpy(levels, [20, 2, 2]));
    expect(readPictures(pathOf("levels.npy"), 0).pictures.levels).toEqual(Uint8Array.from(levels));
    await writeFile(
      pathOf("shares.npy"),
      writeNpy(
        Float32Array.from(levels, (one) => one / 255),
        [20, 2, 2],
      ),
    );
    expect(() => readPictures(pathOf("shares.npy"), 0)).toThrow(/whole numbers from 0 to 255.*Multiply/);
  });

  test("that hold none, too few, others or broken ones are refused by name", async () => {
    await mkdir(pathOf("empty"));
    expect(() => listPictures(pathOf("empty"))).toThrow(/empty: got "0 pictures".*\.png/);
    await writeFile(pathOf("empty", "photo.JPG"), "");
    expect(() => listPictures(pathOf("empty"))).toThrow(/beside 1 JPEG files.*mogrify -format png/);
    expect(() => listPictures(pathOf("nowhere"))).toThrow(/ENOENT/);
    const path = await folderOf("mixed", ["."]);
    await writeFile(pathOf("mixed", "9z.png"), pngOf([4, 4, 8, 0], rowsOf(bytesOf(16, 1), 4), 1));
    expect(() => readPictures(path, 0)).toThrow(/9z\.png: got "a picture of 4 x 4", expected 8 x 8.*side=32/);
    expect(readPictures(path, 4).pictures.count).toBe(25);
    await writeFile(pathOf("mixed", "9z.png"), (await readFile(pathOf("mixed", "1.png"))).subarray(0, 60));
    expect(() => readPictures(path, 4)).toThrow(/9z\.png: got "a file that ends in the middle"/);
    await folderOf("mixed", ["deeper"]);
    expect(() => listPictures(path)).toThrow(/its folder deeper/);
  });
});

const tiny = {
  ...{
    steps: 12,
    batch: 8,
    channels: 4,
    classifier: 60,
    likelihoods: 4,
    probes: 1,
    samples: 24,
    guided: 12,
    solver: 2,
  },
  ...{ side: 8, multipliers: "1" },
};

/** Runs an experiment, and gives its judgements by loss and its report. */
async function run(experiment: Experiment, losses: readonly string[], changed: object, input = "") {
  using runtime = await createRuntime({ backend: "wasm", threads: 1 });
  const settings = { ...experiment.presets.quick.settings, ...tiny, ...changed };
  const plan: Plan = {
    ...{ experiment, preset: "quick", settings, input, losses, seeds: [0], out: pathOf(`run-${experiment.name}`) },
    command: "go on",
  };
  experiment.check?.(settings, input);
  await conduct(runtime, plan);
  const outcome = await outcomeOf(plan, runtime);
  const html = reportOf(outcome);
  expect(html).not.toMatch(/NaN|undefined|Infinity|https?:|<script/);
  const judged = new Map(outcome.runs.map(({ loss, judgement }) => [loss, judgement]));
  return { of: (loss: string) => judged.get(loss) as Judgement, html };
}
const metric = ({ metrics }: Judgement, name: string) => metrics.find((one) => one.name === name)?.value as number;

test("digits, from the package to the report", { timeout: 120_000 }, async () => {
  const { of, html } = await run(digits, ["cfm", "map", "rows"], { heldOut: 0.01 });
  const [flow, map, rows] = ["cfm", "map", "rows"].map(of) as [Judgement, Judgement, Judgement];
  // Next to untrained: the bits of N(0, I), which has 8.33 where all is grey and 9.05 where all is black.
  for (const one of [flow, map]) expect(metric(one, "bits")).toBeGreaterThan(8.3);
  for (const one of [flow, map]) expect(metric(one, "bits")).toBeLessThan(9.1);
  expect(metric(rows, "accuracy")).toBeGreaterThan(0.5);
  expect(metric(rows, "features")).toBeLessThan(metric(flow, "features"));
  expect(metric(rows, "nearest")).toBeLessThan(-10);
  expect(metric(flow, "nearest")).toBeGreaterThan(0);
  expect(flow.series?.map(({ name }) => name)).toEqual(["guidedTold", "guidedFeatures", "evaluations"]);
  expect(map.series).toHaveLength(1);
  for (const words of ["a row for each of 0, 1, 2", "no FID", "2.99", "5.62", "One-step map"]) {
    expect(html).toContain(words);
  }
});

test("a folder of pictures without classes has no classifier", { timeout: 120_000 }, async () => {
  const { of, html } = await run(images, ["cfm", "rows"], {}, await folderOf("plain", ["."]));
  expect(metric(of("cfm"), "bits")).toBeGreaterThan(7);
  expect(metric(of("cfm"), "features")).toBeUndefined();
  expect(metric(of("rows"), "nearest")).toBeLessThan(0);
  expect(html).toContain("no classifier could be trained along");
});
