// Messages: whatever names and values an error speaks of, it is short and moves no terminal's cursor.
import { describe, expect, test } from "vitest";
import { readNpy } from "../src/data/npy.ts";
import { DataError, printable, rebuildError } from "../src/errors.ts";
import { ConfigError, condOT, mlp } from "../src/index.ts";
import { faultOfMessage } from "./reliability/shared.mjs";

const facts = { subject: "x", given: 1, expected: "y", remedy: "z." };
const nested = JSON.parse(`${"[".repeat(20_000)}${"]".repeat(20_000)}`);
const odd = [
  ["escape sequences", "\u001b[31mred\u001b]0;title\u0007", "\\u001b[31mred"],
  ["line ends", "a\r\nb\u2028c\u2029d\u0085e", "a\\u000d\\u000ab\\u2028c\\u2029d\\u0085e"],
  ["text turned around", "\u202eabc\u202c\u2066d\u2069", "\\u202eabc\\u202c"],
  ["nothing visible", "a\u200b\ufeff\u00ad\u{e0041}", "a\\u200b\\ufeff\\u00ad\\udb40\\udc41"],
  ["NUL, DEL and C1", "\0\u007f\u009b2J", "\\u007f\\u009b2J"],
  ["half a character", "a\ud83d", "a\\ud83d"],
] as const;

describe("each fact is escaped", () => {
  test.each(odd)("%s", (_, text, shown) => {
    for (const fact of ["subject", "given", "expected", "remedy"] as const) {
      const error = new DataError({ ...facts, [fact]: text });
      expect(faultOfMessage(error)).toBeUndefined();
      if (fact !== "given" || !/[\n\r]/.test(text)) expect(error.message).toContain(shown); // JSON has words for some
      expect(rebuildError(error.code, error.facts).message).toBe(error.message);
      expect(error.facts[fact]).toBe(text); // facts are data
    }
  });
});

test("what people write is left as it is", () => {
  for (const text of ["points größer.csv", "長さ", "naïve 😀", 'a "quote"', "C:\\data"])
    expect(printable(text)).toBe(text);
});

test.each<[string, unknown]>([
  ["long text", "x".repeat(1e6)],
  ["long text to be escaped", "\u001b".repeat(1e6)],
  ["a long list", new Array(1e5).fill(123456)],
  ["lists in lists", nested],
  ["an object without a prototype", Object.assign(Object.create(null), { n: 1n })],
  [
    "an object that refuses",
    {
      toJSON: () => {
        throw new Error("no");
      },
    },
  ],
  [
    "itself",
    (() => {
      const own: unknown[] = [];
      own.push(own);
      return own;
    })(),
  ],
  ["a symbol", Symbol("s")],
  ["a function", () => "\u001b"],
  ["a large array", new Float64Array(1e6)],
])("whatever is given is shown shortly: %s", (_, given) => {
  expect(faultOfMessage(new DataError({ ...facts, given }))).toBeUndefined();
  const error = new DataError({ subject: "s".repeat(1e5), given, expected: "e".repeat(1e5), remedy: "r".repeat(1e5) });
  expect(faultOfMessage(error)).toBeUndefined();
});

test("the first and the last of a long subject are shown", () => {
  const error = new DataError({ ...facts, subject: `points.csv, ${"x".repeat(45_000)}, column 2` });
  expect(error.message).toMatch(/^points\.csv, x+\.\.\.x+, column 2: got/);
});

test("options that are no text at all have their sentence", () => {
  expect(() => mlp({ dimension: 1, activation: nested })).toThrow(ConfigError);
  expect(() => mlp({ dimension: 1, activation: Object.create(null) })).toThrow(ConfigError);
  expect(() => condOT({ ["s".repeat(1e6)]: 1 } as never)).toThrow(ConfigError);
});

test("a shape of 45,000 characters has a short sentence", () => {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${"1,".repeat(22_000)}), }\n`;
  const bytes = new Uint8Array(10 + header.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  new DataView(bytes.buffer).setUint16(8, header.length, true);
  bytes.set(new TextEncoder().encode(header), 10);
  const read = () => readNpy(bytes, "p\u001b[2J.npy");
  expect(read).toThrow(DataError);
  try {
    read();
  } catch (error) {
    expect(faultOfMessage(error)).toBeUndefined();
  }
});
