// Names that chunks take from each other: the same program, by names that are said once, and maps that still fit.
import { SourceMap } from "node:module";
import { expect, test } from "vitest";
import { withOwnNames } from "../../.build/own-names.mjs";

/** A map of one source whose line n the n-th of these columns is. */
function mapOf(columns: readonly number[]): string {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const number = (value: number): string => {
    const low = (value << 1) & 31;
    const rest = value >> 4;
    return rest > 0 ? `${digits[low + 32]}${digits[rest]}` : `${digits[low]}`;
  };
  const steps = columns.map((column, i) => number(column - (columns[i - 1] ?? 0)));
  const mappings = steps.map((step, i) => `${step}A${i === 0 ? "A" : "C"}A`).join(",");
  return JSON.stringify({ version: 3, sources: ["source.ts"], names: [], mappings });
}

const files = new Map([
  [
    "core-1.js",
    {
      code: "const ab=1,c=2,d=3;export{ab as $,c as x,d};\n//# sourceMappingURL=core-1.js.map",
      map: mapOf([6, 11, 15]),
    },
  ],
  [
    "lazy-2.js",
    { code: 'import{$ as e,d as c}from"./core-1.js";const f=e+c;export{f as t};', map: mapOf([45, 47, 49]) },
  ],
  ["index.js", { code: 'import{x}from"./core-1.js";export{x as two};import("./lazy-2.js");', map: "" }],
]);

test("what is exported has its own name, and what is known elsewhere keeps the one it has", () => {
  const changed = withOwnNames(files, ["core-1.js", "lazy-2.js"]);
  expect(changed.get("core-1.js")?.code).toBe("const ab=1,c=2,d=3;export{ab,c,d};\n//# sourceMappingURL=core-1.js.map");
  expect(changed.get("lazy-2.js")?.code).toBe('import{ab as e,d as c}from"./core-1.js";const f=e+c;export{f as t};');
  expect(changed.get("index.js")?.code).toBe('import{c as x}from"./core-1.js";export{x as two};import("./lazy-2.js");');
});

test("maps say of each place what they said before", () => {
  const changed = withOwnNames(files, ["core-1.js"]);
  for (const [file, { code, map }] of files) {
    if (!map) continue;
    const after = changed.get(file)!;
    const [old, now] = [map, after.map].map((text) => new SourceMap(JSON.parse(text)));
    for (const place of ["const", "=", "+", "ab=1"].filter((text) => code.includes(text))) {
      const lineOf = (found: SourceMap, at: number) => found.findEntry(0, at) as { originalLine?: number };
      const [from, to] = [code.indexOf(place), after.code.indexOf(place)];
      expect(lineOf(now!, to).originalLine).toBe(lineOf(old!, from).originalLine);
    }
  }
});

test("a name that a chunk does not export ends the build", () => {
  const wrong = new Map([...files, ["other-3.js", { code: 'import{zz as e}from"./core-1.js";', map: "" }]]);
  expect(() => withOwnNames(wrong, ["core-1.js"])).toThrow("other-3.js takes zz from core-1.js");
});
