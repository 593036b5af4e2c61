/**
 * What chunks take from each other, by the names that it has where it is defined: `export{Zl}` in place of `export{Zl as $}`.
 * Rolldown numbers exports anew, and a core that dozens of chunks share says each name twice, which no compression finds: 0.8
 * kB of a page. Chunks that anything else knows by name are left as they are: entries, and what is imported on demand.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Renames in files that are there, with their maps.
 * @param {string} folder
 * @param {readonly { type: string, fileName: string, isEntry?: boolean }[]} output - as Rolldown says.
 */
export async function takeOwnNames(folder, output) {
  const chunks = output.filter(({ type }) => type === "chunk");
  const files = new Map(
    await Promise.all(
      chunks.map(async ({ fileName }) => {
        const code = await readFile(join(folder, fileName), "utf8");
        const map = await readFile(join(folder, `${fileName}.map`), "utf8").catch(() => ""); // of names alone there is none
        return /** @type {const} */ ([fileName, { code, map }]);
      }),
    ),
  );
  const inner = chunks.filter(({ isEntry }) => !isEntry).map(({ fileName }) => fileName);
  for (const [file, { code, map }] of withOwnNames(files, inner)) {
    await writeFile(join(folder, file), code);
    if (map) await writeFile(join(folder, `${file}.map`), map);
  }
}

/**
 * @typedef {{ readonly code: string, readonly map: string }} File
 * @typedef {{ readonly start: number, readonly end: number, readonly text: string }} Edit
 */

/**
 * The files that change. Exported for its test.
 * @param {ReadonlyMap<string, File>} files - by name, beside each other.
 * @param {readonly string[]} inner - those that are no entries.
 * @returns {Map<string, File>}
 */
export function withOwnNames(files, inner) {
  /** @type {Map<string, Edit[]>} */
  const edits = new Map();
  const edit = (/** @type {string} */ file, /** @type {Edit} */ one) =>
    edits.set(file, [...(edits.get(file) ?? []), one]);
  for (const chunk of inner) {
    const { code } = /** @type {File} */ (files.get(chunk));
    const exported = /\bexport\{([^{}]*)\};?\s*(?=\/\/# sourceMappingURL|$)/.exec(code);
    const others = [...files].filter(([file]) => file !== chunk);
    const path = `\\./${chunk.replace(/[.$]/g, "\\$&")}`;
    if (!exported || others.some(([, { code }]) => new RegExp(`(\\bimport\\(.|\\*[^;]*from.)${path}`).test(code)))
      continue;
    /** By the name that it is exported by. */
    const own = new Map(pairsOf(exported[1] ?? "").map(([name, as]) => [as, name]));
    const { index } = exported;
    edit(chunk, { start: index, end: index + exported[0].length, text: `export{${[...own.values()].join(",")}};\n` });
    for (const [file, { code }] of others) {
      for (const found of code.matchAll(new RegExp(`\\b(import|export)\\{([^{}]*)\\}(?=from"${path}")`, "g"))) {
        const list = pairsOf(found[2] ?? "").map(([name, as]) => {
          const renamed = own.get(name);
          if (renamed === undefined) throw new Error(`${file} takes ${name} from ${chunk}, which has no such export.`);
          return renamed === as ? as : `${renamed} as ${as}`;
        });
        edit(file, { start: found.index, end: found.index + found[0].length, text: `${found[1]}{${list.join(",")}}` });
      }
    }
  }
  return new Map([...edits].map(([file, list]) => [file, edited(/** @type {File} */ (files.get(file)), list)]));
}

/** "a as b,c" as [["a", "b"], ["c", "c"]]. */
const pairsOf = (/** @type {string} */ list) =>
  list.split(",").map((each) => {
    const [name = "", as = name] = each.trim().split(/\s+as\s+/);
    return /** @type {const} */ ([name, as]);
  });

/**
 * @param {File} file
 * @param {readonly Edit[]} edits - none within another.
 * @returns {File}
 */
function edited({ code, map }, edits) {
  const { mappings, ...rest } = map ? JSON.parse(map) : { mappings: "" };
  const lines = mappings.split(";");
  let text = code;
  for (const { start, end, text: next } of [...edits].sort((a, b) => b.start - a.start)) {
    const line = code.slice(0, start).split("\n").length - 1;
    const column = end - (code.lastIndexOf("\n", start - 1) + 1);
    lines[line] = shifted(lines[line] ?? "", column, next.length - (end - start));
    text = text.slice(0, start) + next + text.slice(end);
  }
  return { code: text, map: map && JSON.stringify({ ...rest, mappings: lines.join(";") }) };
}

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * The mappings of a line with all from a column on moved by so many columns. Each says how far it is from the one before.
 * @param {string} line
 * @param {number} column
 * @param {number} by
 */
function shifted(line, column, by) {
  let at = 0;
  let done = false;
  return line
    .split(",")
    .map((mapping) => {
      if (mapping === "" || done) return mapping;
      const [step, length] = decoded(mapping);
      at += step;
      if (at < column) return mapping;
      done = true;
      return encoded(step + by) + mapping.slice(length);
    })
    .join(",");
}

/**
 * The first number of a mapping, and how many digits it has: 5 bits each, the lowest first, with a sign at the end.
 * @param {string} mapping
 * @returns {[number: number, length: number]}
 */
function decoded(mapping) {
  let bits = 0;
  for (let length = 0; ; length++) {
    const digit = digits.indexOf(mapping[length] ?? "");
    bits += (digit & 31) * 32 ** length;
    if (digit < 32) return [bits & 1 ? -(bits >> 1) : bits >> 1, length + 1];
  }
}

/** @param {number} number */
function encoded(number) {
  let bits = number < 0 ? -number * 2 + 1 : number * 2;
  let text = "";
  do {
    const digit = bits & 31;
    bits >>= 5;
    text += digits[bits > 0 ? digit + 32 : digit];
  } while (bits > 0);
  return text;
}
