/** Pictures from files: PNG of all kinds, PGM and PPM, and folders of them. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listPictures, readNetpbm, readPictures } from "../../../src/cli/experiment/pictures/folder.ts";
import { readPng } from "../../../src/cli/experiment/pictures/png-file.ts";
import { beQuiet } from "../../../src/cli/output.ts";
import { png } from "../../../src/cli/report/png.ts";
import { writeNpy } from "../../../src/index.ts";
import { bytesOf, folderOf, pngOf, rowsOf } from "./png-files.ts";

let base: string;
const pathOf = (...names: string[]) => join(base, ...names);
beforeAll(async () => {
  beQuiet();
  base = await mkdtemp(join(tmpdir(), "pictures-"));
});
afterAll(() => rm(base, { recursive: true, force: true }));

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

describe("folders", () => {
  test("whose folders are classes", async () => {
    const path = await folderOf(pathOf("classes"), ["down", "up"]);
    await writeFile(pathOf("classes", "notes.txt"), "not a picture");
    const { pictures, classes } = readPictures(path, 8);
    expect(classes).toEqual(["down", "up"]);
    expect([pictures.count, pictures.height, pictures.width, pictures.channels]).toEqual([48, 8, 8, 1]);
    expect([...pictures.labels]).toEqual([...Array(24).fill(0), ...Array(24).fill(1)]);
    expect(pictures.levels[0]).toBeGreaterThanOrEqual(128); // 0.png of "down" is bright above
    expect(readPictures(path, 4).pictures.levels).toHaveLength(48 * 16);
  });

  test("without classes, with coloured ones among grey ones, and arrays", async () => {
    const path = await folderOf(pathOf("alone"), ["."]);
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
    const path = await folderOf(pathOf("mixed"), ["."]);
    await writeFile(pathOf("mixed", "9z.png"), pngOf([4, 4, 8, 0], rowsOf(bytesOf(16, 1), 4), 1));
    expect(() => readPictures(path, 0)).toThrow(/9z\.png: got "a picture of 4 x 4", expected 8 x 8.*side=32/);
    expect(readPictures(path, 4).pictures.count).toBe(25);
    await writeFile(pathOf("mixed", "9z.png"), (await readFile(pathOf("mixed", "1.png"))).subarray(0, 60));
    expect(() => readPictures(path, 4)).toThrow(/9z\.png: got "a file that ends in the middle"/);
    await folderOf(pathOf("mixed"), ["deeper"]);
    expect(() => listPictures(path)).toThrow(/its folder deeper/);
  });
});
