// Tables as people have them, and the one right reading of each. What is not certain is said in notes.
import { describe, expect, test } from "vitest";
import { type CsvOptions, CsvReader, readCsv } from "../../src/data/csv.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

interface Reading {
  /** Rows apart by semicolons, values by spaces. */
  readonly rows: string;
  readonly columns?: string[];
  readonly notes?: RegExp[];
  readonly options?: CsvOptions;
}

/** Rows of f64 and names; notes are matched one by one. */
function check(table: ReturnType<typeof readCsv>, { rows, columns, notes = [] }: Reading): void {
  const { values, count, dimension } = table;
  const found = Array.from({ length: count }, (_, i) =>
    values.subarray(i * dimension, (i + 1) * dimension).join(" "),
  ).join("; ");
  expect({ rows: found, columns: table.columns }).toEqual({ rows, columns });
  expect(table.notes ?? []).toHaveLength(notes.length);
  for (const [i, note] of notes.entries()) expect(table.notes?.[i]).toMatch(note);
}

const xy = {
  rows: "1.5 2; 3 4.25",
  columns: ["x", "y"],
};
const plain = { rows: xy.rows };

const readings: Readonly<Record<string, readonly [text: string, reading: Reading]>> = {
  // Delimiters and quotes
  "a quoted name with a semicolon": ['"x;m","y"\n1.5,2\n3,4.25\n', { ...xy, columns: ["x;m", "y"] }],
  "a name with a semicolon, not quoted": ["x;m,y\n1.5,2\n3,4.25\n", { ...xy, columns: ["x;m", "y"] }],
  "a quoted name with a comma among semicolons": ['"x, m";y\n1.5;2\n3;4.25\n', { ...xy, columns: ["x, m", "y"] }],
  "a quoted name with quotes in it": ['"the ""x""","y"\n1.5,2\n3,4.25\n', { ...xy, columns: ['the "x"', "y"] }],
  "a quoted name over two lines": ['"x\n(m)","y"\n1.5,2\n3,4.25\n', { ...xy, columns: ["x\n(m)", "y"] }],
  "the same with Windows line ends": ['"x\r\n(m)",y\r\n1.5,2\r\n3,4.25\r\n', { ...xy, columns: ["x\n(m)", "y"] }],
  "a sign of inches in a name": ['length 5",y\n1.5,2\n3,4.25\n', { ...xy, columns: ['length 5"', "y"] }],
  "everything in quotes": ['"x","y"\n"1.5","2"\n"3","4.25"\n', xy],
  bars: ["x|y\n1.5|2\n3|4.25\n", xy],
  "bars with spaces, as psql writes": [" x | y\n 1.5 | 2\n 3 | 4.25\n", xy],
  "commas and spaces": ["x, y\n1.5,  2\n3 ,4.25\n", xy],
  "columns aligned by spaces": ["   x      y\n 1.5   2.00\n 3     4.25\n", xy],
  "columns aligned by spaces and tabs": [" 1.5 \t 2\n 3   \t 4.25\n", plain],
  "quoted names apart by spaces": ['"the x" "y"\n1.5 2\n3 4.25\n', { ...xy, columns: ["the x", "y"] }],
  "one column": ["1.5\n2\n", { rows: "1.5; 2" }],
  "one column with a name of two words": ["body mass\n1.5\n2\n", { rows: "1.5; 2", columns: ["body mass"] }],
  "one column with a quoted name that has a comma": ['"mass, kg"\n1.5\n2\n', { rows: "1.5; 2", columns: ["mass, kg"] }],
  "one number": ["1.5", { rows: "1.5" }],

  // Lines
  "a lone CR as line end": ["x,y\r1.5,2\r3,4.25", xy],
  "line ends of all kinds": ["x,y\r\n1.5,2\r3,4.25\n", xy],
  "blank lines, also of spaces": ["\n  \nx,y\n\n1.5,2\n\t\n3,4.25\n\n\n", xy],
  "comments before, between and after": ["# made by hand\nx,y\n  # first\n1.5,2\n#3,4\n3,4.25\n# end", xy],
  "a byte order mark before a quoted name": ['\ufeff"x",y\n1.5,2\n3,4.25\n', xy],
  "delimiters at the ends of lines": ["x,y,\n1.5,2,\n3,4.25,\n", { ...xy, notes: [/empty last column is left out/] }],
  "delimiters at the ends of rows only": ["x;y\n1.5;2;\n3;4.25;\n", { ...xy, notes: [/empty last column/] }],
  "empty columns of a spreadsheet": ["x,y,,\n1.5,2,,\n3,4.25,,\n", { ...xy, notes: [/empty last column/] }],
  "a delimiter at the end of one column": ["1.5,\n2,\n", { rows: "1.5; 2", notes: [/empty last column/] }],

  // Headers
  "years as header": [
    "2020,2021,2022\n.5,.25,1.5\n1,2,.5\n",
    {
      rows: "0.5 0.25 1.5; 1 2 0.5",
      columns: ["2020", "2021", "2022"],
      notes: [/2020, 2021, 2022.*read as a header.*--header no/],
    },
  ],
  "years as header over whole numbers": [
    "1990;2000;2010\n331;12;7\n210;9;8\n",
    {
      rows: "331 12 7; 210 9 8",
      columns: ["1990", "2000", "2010"],
      notes: [/read as a header/],
    },
  ],
  "years that fall": [
    "2021 2020\n.5 2\n1 3\n",
    {
      rows: "0.5 2; 1 3",
      columns: ["2021", "2020"],
      notes: [/read as a header/],
    },
  ],
  "rows of years": [
    "2019,2020\n2020,2022\n",
    {
      rows: "2019 2020; 2020 2022",
    },
  ],
  "years above years in no order": [
    "2020,2021,2022\n1950,2000,1900\n1990,1980,2000\n",
    { rows: "2020 2021 2022; 1950 2000 1900; 1990 1980 2000", notes: [/read as a row, though.*--header yes/] },
  ],
  "a year above one column": [
    "2020\n.5\n.25\n",
    { rows: "2020; 0.5; 0.25", notes: [/read as a row, though.*--header yes/] },
  ],
  "a quoted year above one column": [
    '"2020"\n.5\n.25\n',
    { rows: "0.5; 0.25", columns: ["2020"], notes: [/read as a header/] },
  ],
  "years beside a word": [
    "city,2020,2021\n7,.5,2\n3,1,3\n",
    {
      rows: "7 0.5 2; 3 1 3",
      columns: ["city", "2020", "2021"],
      notes: [/read as a header/],
    },
  ],
  "quoted numbers over plain ones": [
    '"10","20"\n1.5,2\n3,4.25\n',
    { ...xy, columns: ["10", "20"], notes: [/read as a header/] },
  ],
  "column numbers of pandas": [
    "0,1,2\n.5,2,3\n1,3,2\n",
    {
      rows: "0.5 2 3; 1 3 2",
      columns: ["0", "1", "2"],
      notes: [/read as a header/],
    },
  ],
  "what may be column numbers or a row": [
    "0,1\n.5,2\n1,7\n",
    {
      rows: "0 1; 0.5 2; 1 7",
      notes: [/read as a row, though/],
    },
  ],
  "whole numbers that may be a row": [
    "0,1,2\n3,2,1\n",
    {
      rows: "0 1 2; 3 2 1",
      notes: [/read as a row, though/],
    },
  ],
  "numbers from 0 to 9 over whole ones": [
    "0,1,2,3,4,5,6,7,8,9\n5,5,7,5,5,5,5,5,5,1\n6,6,6,6,6,6,6,6,6,2\n",
    {
      rows: "5 5 7 5 5 5 5 5 5 1; 6 6 6 6 6 6 6 6 6 2",
      columns: [..."0123456789"],
      notes: [/read as a header/],
    },
  ],
  "column numbers of pandas beside a word": [
    "0,1,2,target\n.5,2,3,1\n1,3,2,0\n",
    {
      rows: "0.5 2 3 1; 1 3 2 0",
      columns: ["0", "1", "2", "target"],
      notes: [/read as a header/],
    },
  ],
  "words that begin with digits": [
    "1st,2nd\n1.5,2\n3,4.25\n",
    { ...xy, columns: ["1st", "2nd"], notes: [/read as a header/] },
  ],
  "a word that may be decimals with a damaged digit": [
    "x.25\n1.5\n2\n",
    { rows: "1.5; 2", columns: ["x.25"], notes: [/read as a header/] },
  ],
  "one such word, told that it is a header": [
    "2020Q1\n1.5\n2\n",
    { rows: "1.5; 2", columns: ["2020Q1"], options: { header: true } },
  ],
  "names that do not print": [
    "x\u0001,y\n1.5,2\n3,4.25\n",
    { ...xy, columns: ["x\u0001", "y"], notes: [/characters that do not print: it may be damaged/] },
  ],
  "sodium, potassium, chlorine": [
    "Na,K,Cl\n1.5,2,3\n3,4.25,5\n",
    {
      rows: "1.5 2 3; 3 4.25 5",
      columns: ["Na", "K", "Cl"],
    },
  ],
  "names that are spaces apart, in other scripts": ["長さ 重さ\n1.5 2\n3 4.25\n", { ...xy, columns: ["長さ", "重さ"] }],
  "years, and told that they are a row": [
    "2020,2021\n.5,2\n",
    {
      rows: "2020 2021; 0.5 2",
      options: { header: false },
    },
  ],
  "numbers, and told that they are a header": [
    "3,1\n.5,2\n1,3\n",
    {
      rows: "0.5 2; 1 3",
      columns: ["3", "1"],
      options: { header: true },
    },
  ],

  "1, 2 above whole numbers": ["1 2\n3 4\n", { rows: "1 2; 3 4" }],

  // An index
  "pandas' index": [
    ",x,y\n0,1.5,2\n1,3,4.25\n2,5,6\n",
    {
      rows: "0 1.5 2; 1 3 4.25; 2 5 6",
      columns: ["", "x", "y"],
      notes: [/Column 1 looks like an index.*--skip-index/],
    },
  ],
  "pandas' index, left out": [",x,y\n0,1.5,2\n1,3,4.25\n", { ...xy, options: { skipIndex: true } }],
  "pandas' index beside years": [
    ",2020,2021\n0,1.5,2\n1,3,4.25\n",
    { ...xy, columns: ["2020", "2021"], notes: [/read as a header/], options: { skipIndex: true } },
  ],
  "a series of pandas": [
    ",0\n0,1.5\n1,2\n",
    { rows: "1.5; 2", columns: ["0"], notes: [/read as a header/], options: { skipIndex: true } },
  ],
  "an index read back by pandas": [
    "Unnamed: 0,x\n7,1.5\n9,2\n",
    {
      rows: "7 1.5; 9 2",
      columns: ["Unnamed: 0", "x"],
      notes: [/"Unnamed: 0" looks like an index/],
    },
  ],
  "an id in any order, and not first": [
    "x,ID\n1.5,12\n2,7\n",
    {
      rows: "1.5 12; 2 7",
      columns: ["x", "ID"],
      notes: [/"ID" looks like an index.*--columns/],
    },
  ],
  "an index called id that is a measurement": [
    "index,x\n1.5,12\n2,7\n",
    {
      rows: "1.5 12; 2 7",
      columns: ["index", "x"],
    },
  ],
  "rows counted from 1, without a header": [
    "1,1.5\n2,2\n3,0\n",
    {
      rows: "1 1.5; 2 2; 3 0",
      notes: [/Column 1 looks like an index/],
    },
  ],
  "labels of rows, left out": [
    "name,x\nada,1.5\nbob,2\n",
    { rows: "1.5; 2", columns: ["x"], options: { skipIndex: true } },
  ],
  "dates of rows, left out": [
    ",x\n2020-01-01,1.5\n2020-01-02,2\n",
    { rows: "1.5; 2", columns: ["x"], options: { skipIndex: true } },
  ],
  "row names of R": [
    '"x" "y"\n"1" 1.5 2\n"2" 3 4.25\n',
    { ...xy, notes: [/one name short, as R writes/], options: { skipIndex: true } },
  ],

  // Columns
  "a text column, passed over by name": ["x,kind,y\n1.5,a,2\n3,b,4.25\n", { ...xy, options: { columns: ["x", "y"] } }],
  "columns in another order": [
    "x,y\n1.5,2\n3,4.25\n",
    {
      rows: "2 1.5; 4.25 3",
      columns: ["y", "x"],
      options: { columns: ["y", "x"] },
    },
  ],
  "columns by number, without a header": ["a,1.5,2\nb,3,4.25\n", { ...plain, options: { columns: [1, 2] } }],
  "columns by number as a command line gives it": ["a,1.5\nb,3\n", { rows: "1.5; 3", options: { columns: ["1"] } }],
  "a name of digits before a number": [
    "x,2020\n1.5,2\n3,4.25\n",
    { rows: "2; 4.25", columns: ["2020"], notes: [/read as a header/], options: { columns: ["2020"] } },
  ],
  "a column that never changes": [
    "x,y\n1.5,2\n3,2\n",
    {
      rows: "1.5 2; 3 2",
      columns: ["x", "y"],
      notes: [/Column "y" never changes: .*likelihoods with it mean nothing.*leave it out \(columns, --columns\)/],
    },
  ],
  "a name that two columns have": [
    "x,x\n1.5,2\n3,4.25\n",
    { ...xy, columns: ["x", "x"], notes: [/More than one column is called "x"/] },
  ],

  // Numbers
  "signs, exponents, points at either end": ["+1.5e0,.2E+1\n3.,425e-2\n", plain],
  "decimals with a comma in quotes, when told": ['x,y\n"1,5",2\n3,"4,25"\n', { ...xy, options: { decimal: "," } }],
  "the same, told the delimiter too": [
    '"1,5","2"\n"3","4,25"\n',
    { ...plain, options: { decimal: ",", delimiter: "," } },
  ],
  "quoted decimals with a comma apart by semicolons": [
    'x;y\n"1,5";2\n3;"4,25"\n',
    { ...xy, options: { decimal: "," } },
  ],
  "one column of quoted decimals": [
    'x\n"1,5"\n"3,25"\n',
    { rows: "1.5; 3.25", columns: ["x"], options: { decimal: "," } },
  ],
  "one column of decimals, some quoted": ['2,5\n"1,5"\n', { rows: "2.5; 1.5", options: { decimal: "," } }],
  "Excel's line of the delimiter": ["sep=;\r\nx;y\r\n1.5;2\r\n3;4.25\r\n", xy],
  "Excel's line of a tab": ["sep=\t\nx\ty\n1.5\t2\n3\t4.25\n", xy],
  "decimals with a comma, when told": ["x;y\n1,5;2\n3;4,25\n", { ...xy, options: { decimal: "," } }],
  "decimals with a comma and tabs, when told": ["1,5\t2\n3\t4,25\n", { ...plain, options: { decimal: "," } }],
  "one column of decimals with a comma, when told": ["1,5\n2\n", { rows: "1.5; 2", options: { decimal: "," } }],
  "spaces that do not break": ["x,y\n\u00a01.5,2\n3,4.25\u00a0\n", xy],
};

describe("is read", () => {
  test.each(Object.entries(readings))("%s", (_, [text, reading]) => {
    check(readCsv(bytes(text), "points.csv", reading.options), reading);
  });

  test.each(Object.entries(readings))("alike in pieces of one byte: %s", (_, [text, reading]) => {
    const reader = new CsvReader("points.csv", reading.options);
    for (const byte of bytes(text)) reader.push(Uint8Array.of(byte));
    check(reader.end(), reading);
  });
});

test("a quote that opens late is found without reading all that follows again and again", () => {
  const text = `x,y\n${"1,2\n".repeat(50_000)}1,"2\n${"1,2\n".repeat(50_000)}`;
  expect(() => readCsv(bytes(text), "points.csv")).toThrow(/line 50002: got "a quote/);
});

test("characters that a piece cuts in two are whole again", () => {
  const name = "é".repeat(700_000); // longer than a piece, of two bytes each, behind one of one byte
  expect(readCsv(bytes(`x${name},y\n1,2\n`)).columns).toEqual([`x${name}`, "y"]);
});
