// Sequences of letters as data: corners of the simplex with what is known of them; what is no sequence is named.
import { expect, test } from "vitest";
import { sampleRows } from "../../src/data/sample.ts";
import { ConfigError, DataError } from "../../src/index.ts";
import { lettersData } from "../../src/letters.ts";

const texts = ["ACG", "TTA", "GCA"];

test.each([
  ["texts", texts, { alphabet: "ACGT" }],
  ["numbers", [[0, 1, 2], Uint8Array.of(3, 3, 0), [2, 1, 0]], { letters: 4 }],
])("%s are points 1 at their letters, drawn with what is known of each", (_, sequences, options) => {
  const conditions = {
    kind: ["b", "a", "b"],
    size: [
      [0.5, 1],
      [2, 3],
      [4, 5],
    ],
  };
  const data = lettersData(sequences, { ...options, conditions });
  expect([data.dimension, data.shape]).toEqual([12, [3, 4]]);
  const { values, conditions: told } = sampleRows(data, 60, 1);
  const seen = new Set<string>();
  for (let row = 0; row < 60; row++) {
    const letters = [0, 1, 2].map((place) => {
      const own = Array.from(values.subarray(12 * row + 4 * place, 12 * row + 4 * place + 4));
      expect([...own].sort()).toEqual([0, 0, 0, 1]);
      return "ACGT"[own.indexOf(1)];
    });
    const which = texts.indexOf(letters.join(""));
    seen.add(letters.join(""));
    expect(told["kind"][row]).toBe([1, 0, 1][which]);
    expect(Array.from(told["size"].subarray(2 * row, 2 * row + 2))).toEqual(conditions.size[which]);
  }
  expect(seen.size).toBe(3);
});

test.each<[string, () => unknown, typeof DataError | typeof ConfigError, RegExp]>([
  ["no sequences", () => lettersData([], { letters: 2 }), DataError, /sequences of lettersData: got "?no sequences/],
  ["another length", () => lettersData(["AB", "A"], { alphabet: "AB" }), DataError, /sequence 1 .*expected 2, as/],
  ["no letters", () => lettersData([""], { alphabet: "AB" }), DataError, /sequence 0 .*at least one/],
  ["a stranger", () => lettersData(["AB", "AX"], { alphabet: "AB" }), DataError, /sequence 1, place 1 .*got "?X/],
  ["too large a number", () => lettersData([[0, 4]], { letters: 4 }), DataError, /place 1 .*from 0 to 3/],
  ["text without its letters", () => lettersData(["AB"], { letters: 2 }), DataError, /text and its alphabet/],
  ["a letter twice", () => lettersData(["A"], { alphabet: "AA" }), ConfigError, /2 to 256 different letters/],
  ["two counts", () => lettersData(["A"], { alphabet: "AB", letters: 3 }), ConfigError, /letters of lettersData.*2/],
  ["neither", () => lettersData([[0]]), ConfigError, /letters of lettersData/],
  [
    "a label too few",
    () => lettersData(["A", "B"], { alphabet: "AB", conditions: { kind: ["x"] } }),
    DataError,
    /condition "kind" of lettersData/,
  ],
])("%s is refused", (_, make, kind, message) => {
  expect(make).toThrow(kind);
  expect(make).toThrow(message);
});
