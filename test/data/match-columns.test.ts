import { expect, test } from "vitest";
import { matchColumns } from "../../src/data/match-columns.ts";
import { DataError } from "../../src/errors.ts";

test.each<[string, string[], string[], number[], RegExp | undefined]>([
  ["the same", ["a", "b"], ["a", "b"], [0, 1], undefined],
  ["another order", ["a", "b", "c"], ["c", "a", "b"], [1, 2, 0], /into the model's order: a, b, c/],
  ["more columns", ["a", "b"], ["id", "a", "x", "b"], [1, 3], /leaves out "id", "x"/],
  ["both", ["a", "b"], ["b", "x", "a"], [2, 0], /leaves out "x".* and puts the columns/],
  ["names twice", ["a", "b", "a"], ["a", "a", "b"], [0, 2, 1], /order/],
])("%s", (_, model, file, order, note) => {
  const match = matchColumns(model, file);
  expect(match?.order).toEqual(order);
  if (note) expect(match?.note).toMatch(note);
  else expect(match).not.toHaveProperty("note");
});

test("without names on one side nothing is matched", () => {
  expect(matchColumns(undefined, ["a"])).toBeUndefined();
  expect(matchColumns(["a"], undefined)).toBeUndefined();
});

test.each<[string, string[], string[], RegExp]>([
  ["a column that is missing", ["a", "b"], ["a", "c"], /columns of new.csv: got .*not among them b/],
  ["another spelling", ["Age"], ["age"], /not among them Age/],
  ["a name that may be either of two", ["a", "b"], ["a", "b", "a"], /a.* 2 times.*--columns/],
])("%s is refused", (_, model, file, message) => {
  expect(() => matchColumns(model, file, "new.csv")).toThrow(DataError);
  expect(() => matchColumns(model, file, "new.csv")).toThrow(message);
});
