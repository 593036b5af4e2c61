/** Fields of tables of numbers and text: what stands in a file, as it stands there. */
import { describe, expect, test } from "vitest";
import { readFields } from "../../src/data.ts";

const read = (text: string, options = {}) => readFields(new TextEncoder().encode(text), "t.csv", options);

describe("readFields", () => {
  test("gives numbers and text as they stand, without quotes, and lines that rows begin on", () => {
    const { columns, header, rows, lines } = read(
      '\ufeffage, name ,note\r\n# a comment\r\n41,"Doe, ""Jo""",x\r\n\r\n7," two\nlines ",1e3\r\n',
    );
    expect(columns).toEqual(["age", "name", "note"]);
    expect(header).toBe(true);
    expect(rows).toEqual([
      ["41", 'Doe, "Jo"', "x"],
      ["7", "two\nlines", "1e3"],
    ]);
    expect(lines).toEqual([3, 5]);
  });

  test("what says that there is no value is undefined", () => {
    const { rows } = read("a,b\n1,x\nNA,\n?,n/a\nnull,-\nNaN,no\n");
    expect(rows).toEqual([
      ["1", "x"],
      [undefined, undefined],
      [undefined, undefined],
      [undefined, undefined],
      [undefined, "no"],
    ]);
  });

  test("finds the delimiter and a header that is not there", () => {
    expect(read("1;red\n2;blue\n")).toMatchObject({ columns: ["column 1", "column 2"], header: false });
    expect(read("sep=|\na|b\n1|x\n").rows).toEqual([["1", "x"]]);
    expect(read("a;b\n1,5;x\n", { decimal: "," }).rows).toEqual([["1,5", "x"]]);
  });

  test.each([
    ["a,b\n1,x\n2\n", {}, /t\.csv, line 3: got "1 field", expected "?2, as on the first line/],
    ['a,b\n1,"x\n', {}, /line 2: got "a quote that is never closed"/],
    ["a,b\n", {}, /only a header line/],
    ["", {}, /no lines/],
    ["a\n1\n", { delimiter: "x" }, /delimiter of readFields/],
    ["a\n1\n", { header: "no" }, /header of readFields/],
    ["a\n1\n", { columns: [] }, /options of readFields/],
  ])("refuses %j", (text, options, words) => {
    expect(() => read(text, options)).toThrow(words);
  });
});
