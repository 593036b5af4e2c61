// Tables that have no right reading, and options that are none: a sentence each, with the line.
import { describe, expect, test } from "vitest";
import { type CsvOptions, readCsv } from "../../src/data/csv.ts";
import { ConfigError, DataError } from "../../src/errors.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("is refused", () => {
  test.each<[string, string, string | RegExp, CsvOptions?]>([
    [
      "a first line of missing values",
      "NA,NA\n1,2\n3,4\n",
      'line 1, column 1: got "NA", expected a finite number. Remove',
    ],
    ["nothing but missing values", "NA,NA\n", 'line 1, column 1: got "NA"'],
    [
      "a missing value, by the name of its column",
      "age,income\n31,NA\n",
      /line 2, column 2: got "NA".*Remove the line, fill the gap, or leave column "income" out/,
    ],
    ["an error of a spreadsheet, which is no comment", "x,y\n#N/A,2\n1,2\n", 'line 2, column 1: got "#N/A"'],
    ...["", "-", "?", ".", "nan", "NaN", "None", "null", "n/a", "<NA>", "NaT", "inf", "-Infinity", "#DIV/0!"].map(
      (field): [string, string, string] => [`the field ${field}`, `x,y\n1,${field}\n3,4\n`, 'leave column "y" out'],
    ),
    ["a line of delimiters alone", "x,y\n1,2\n,\n3,4\n", "line 3, column 1"],
    ["a gap in the first line of a table without names", ",2\n1,3\n", "line 1, column 1"],
    ["a gap at the end of one line", "1,2\n3,\n", "line 2, column 2"],
    [
      "decimals with a comma",
      "x;y\n1,5;2\n3;4,25\n",
      'line 2, column 1: got "1,5", expected a finite number. Write decimals with',
    ],
    ["Excel's line of no delimiter", "sep=:\nx:y\n1:2\n", /line 1: got "sep=:".*semicolon/],
    [
      "a decimal point, told a comma",
      "x;y\n1.5;2\n",
      /got "1.5".*with a comma.*leave that option out/,
      { decimal: "," },
    ],
    ["thousands and no advice on decimals", 'x,y\n"1,234.5",2\n', /number. Write no thousands separators.$/],
    ["thousands apart by a comma", 'x,y\n"1,234.5",2\n', /got "1,234.5".*no thousands separators/],
    ["thousands apart by a space", "x,y\n1 234,2\n", /got "1 234".*(thousands|apart)/],
    ["thousands apart by an apostrophe", "x,y\n1'234,2\n", /got "1'234".*no thousands/],
    ["thousands apart by a point, decimals by a comma", "x;y\n1.234,5;2\n", /got "1.234,5"/, { decimal: "," }],
    ["a text column", "x,kind\n1,setosa\n", /line 2, column 2: got "setosa".*leave column "kind" out/],
    ["a date", "day,x\n2020-01-31,2\n", /line 2, column 1: got "2020-01-31".*leave column "day" out/],
    [
      "a text column without a header",
      "setosa,1.5\nvirginica,2\n",
      /line 1, column 1: got "setosa".*leave column 1 out/,
    ],
    ["a slip of the pen in the first line", "1.2x,3.5\n2,4\n", 'line 1, column 1: got "1.2x"'],
    ["a damaged field in a first row of whole numbers", "1,2,x3\n4,5,6\n", /column 3: got "x3".*header true/],
    ["the same, a letter alone", "12,w\n3,4\n", /column 2: got "w".*If the line holds names.*--header yes/],
    ["the same, beside counting numbers", "1,2,w\n3,4,5\n", 'line 1, column 3: got "w"'],
    ["the same, beside a year above years", "2020,w\n2021,7\n2022,8\n", 'line 1, column 2: got "w"'],
    ["a damaged number above a column", "12x\n3\n4\n", 'line 1, column 1: got "12x"'],
    ["damaged decimals above a column", "-1.5\u0011\n3\n4\n", /line 1, column 1: got "-1.5\\u0011"/],
    ["damaged decimals in all columns", "1.5q,2.5q\n3,4\n", 'line 1, column 1: got "1.5q"'],
    ["two delimiters in a line", "1\t2 3\n4\t5 6\n", /got "2 3".*same character/],
    ["another delimiter on another line", "1,2\n3;4\n", 'line 2: got "1 field", expected 2'],
    ["a line that is too long", "x,y\n1,2\n1,2,3\n", 'line 3: got "3 fields", expected 2'],
    ["a value behind the empty last column", "1,2,\n3,4,\n5,6,7\n".padEnd(500, "1,2,\n"), /line 1, column 3|line 3/],
    ["a quote that is not closed", '"x,y\n1,2\n', /line 1: got "a quote that is never closed"/],
    ["UTF-16 with a mark", "\ufeff1\u0000,\u0000", /zeros/],
    ["a number beyond f64", "1e999,2\n3,4\n", 'got "1e999"'],
    [
      "a column that is not there",
      "x,y\n1,2\n",
      /columns of points.csv: got "z", expected "x", "y", or a number from 0 to 1/,
      { columns: ["z"] },
    ],
    [
      "a column number that is not there",
      "1,2\n",
      /got 2, expected a number from 0 to 1.*no header line/,
      { columns: [0, 2] },
    ],
    ["a name where there are none", "1,2\n", /got "x".*no header line/, { columns: ["x"] }],
    ["a name of two columns", "x,x\n1,2\n", /got "x".*Columns 0 and 1/, { columns: ["x"] }],
    ["an index that is data", "x,y\n1.5,2\n", /column 1: got "1.5", expected an index/, { skipIndex: true }],
    ["an index alone", "1\n2\n", /one column/, { skipIndex: true }],
    ["only a header of names", "x,y\n", "only a header line"],
  ])("%s", (_, text, message, options) => {
    const read = () => readCsv(bytes(text), "points.csv", options);
    expect(read).toThrow(DataError);
    expect(read).toThrow(message);
    expect(read).toThrow(/points\.csv/);
  });

  test.each([
    [[0xff, 0xfe, 0x31, 0], /UTF-16/],
    [[0xfe, 0xff, 0, 0x31], /UTF-16/],
    [[0x31, 0, 0x2c, 0], /zeros/],
    [[0xe9, 0x2c, 0x78, 0x0a], /not UTF-8/], // an accented letter in Latin-1
    [[0x31, 0xc3], /not UTF-8/], // cut within a character
  ])("the bytes %s", (given, message) => {
    expect(() => readCsv(Uint8Array.from(given), "points.csv")).toThrow(message);
  });

  test.each<[object, RegExp]>([
    [{ delimeter: ";" }, /delimeter/],
    [{ delimiter: "::" }, /delimiter/],
    [{ header: "yes" }, /header/],
    [{ decimal: "'" }, /decimal/],
    [{ skipIndex: 1 }, /skipIndex/],
    [{ delimiter: ",", decimal: "," }, /another character/],
    [{ columns: [] }, /columns/],
    [{ columns: "x" }, /columns/],
    [{ columns: [0, "0"] }, /each column once/],
    [{ columns: [1], skipIndex: true }, /one of the two/],
  ])("the options %o", (options, message) => {
    const read = () => readCsv(bytes("1,2\n3,4\n"), "points.csv", options);
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(message);
  });
});
