// What is handed to readers and writers of files, of every kind: taken as what it is, or refused with a sentence.
import { describe, expect, test } from "vitest";
import {
  CsvReader,
  NpyReader,
  readCsv,
  readNpy,
  readNpz,
  readPoints,
  writeCsv,
  writeNpy,
  writeNpz,
} from "../../src/data.ts";
import { DataError } from "../../src/errors.ts";

const values = Float32Array.of(1, 2, 3, 4);
const files = {
  readCsv: new TextEncoder().encode("1,2\n3,4\n"),
  readNpy: writeNpy(values, [2, 2]),
  readNpz: writeNpz({ x: { values, shape: [2, 2] } }),
  readPoints: writeNpy(values, [2, 2]),
};
const readers: Readonly<Record<keyof typeof files, (given: Uint8Array) => unknown>> = {
  readCsv,
  readNpy,
  readNpz,
  readPoints: (given) => readPoints(given, "file"),
};
const names = Object.keys(files) as (keyof typeof files)[];

/** What a call throws or rejects with. */
async function failure(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
}

const notBytes: Readonly<Record<string, unknown>> = {
  nothing: undefined,
  null: null,
  text: "1,2\n3,4\n",
  "a number": 5,
  "an array": [1, 2],
  "an object": {},
  "a DataView": new DataView(new ArrayBuffer(16)),
  floats: Float32Array.of(1, 2),
};

describe.each(names)("%s", (name) => {
  test("takes an ArrayBuffer, as fetch gives it, and a Buffer", async () => {
    const expected = await readers[name](files[name]);
    const buffer = files[name].slice().buffer;
    expect(await readers[name](buffer as unknown as Uint8Array)).toEqual(expected);
    expect(await readers[name](Buffer.from(files[name]))).toEqual(expected);
  });

  test.each(Object.entries(notBytes))("refuses %s", async (_kind, given) => {
    const error = await failure(() => readers[name](given as Uint8Array));
    expect(error).toBeInstanceOf(DataError);
    // What is left out has a default name: "csv file: got undefined, ...".
    expect((error as DataError).message).toContain("expected the file's bytes: a Uint8Array or an ArrayBuffer");
  });
});

test.each(Object.entries(notBytes))("pieces of a file refuse %s", (_kind, given) => {
  expect(() => new CsvReader("file").push(given as Uint8Array)).toThrow(DataError);
  expect(() => new NpyReader("file", 16).push(given as Uint8Array)).toThrow(DataError);
});

test.each([undefined, null, 5, "text", {}, new DataView(new ArrayBuffer(8)), ["1"]])("writers refuse %s", (given) => {
  const wrong = given as never;
  expect(() => writeCsv(wrong, [1])).toThrow(DataError);
  expect(() => writeNpy(wrong, [1])).toThrow(DataError);
  expect(() => writeNpz({ x: wrong })).toThrow(DataError);
  expect(() => writeNpz({ x: { values: wrong, shape: [1] } })).toThrow(DataError);
  if (JSON.stringify(given) !== "{}") expect(() => writeNpz(wrong)).toThrow(DataError);
});

test.each([undefined, null, 4, "4", [-4], [2, 3]])("writers refuse the shape %s", (shape) => {
  const wrong = shape as never;
  expect(() => writeCsv(values, wrong)).toThrow(DataError);
  expect(() => writeNpy(values, wrong)).toThrow(DataError);
  expect(() => writeNpz({ x: { values, shape: wrong } })).toThrow(DataError);
});

test("writeCsv takes plain numbers, and refuses names that are none", () => {
  expect(new TextDecoder().decode(writeCsv([0.1, 2], [1, 2]))).toBe("0.1,2\n");
  for (const columns of ["ab", 5, null, [1, 2], ["a"]]) {
    expect(() => writeCsv([0.1, 2], [1, 2], columns as never)).toThrow(DataError);
  }
});
