/**
 * `node test/reliability/data-files.mjs [--count N] [--seed S]`, from a built checkout: 10,000 tables as text and 10,000
 * arrays (.npy and .npz) that are damaged. Right is
 * - a DataError or LimitError with a message that is short and escaped; or
 * - points that are in the file: of a table each line that is not blank and no comment is a row, with the numbers that
 *   JavaScript reads in its fields, but for one line of names, of which no field is a number or which is said in a note;
 *   of an array the elements as they lie in the file; of an archive, which has checksums, the arrays that were written.
 * A first line of numbers that is damaged is not read as names: it is refused, or said in a note. A single column is an
 * exception: one word above numbers is a name.
 */
import { damagedCsv, damagedNpy, damagedNpz } from "./damage-data.mjs";
import { campaign, faultOfMessage, isMain } from "./shared.mjs";

/** @typedef {typeof import("../../src/data.ts")} Data */

/**
 * What comes of the damaged file of a seed: of a table for even ones, of an array for odd ones.
 * @param {Data} data @param {number} seed
 * @returns {Promise<import("./shared.mjs").Verdict>}
 */
export async function tryDataFile(data, seed) {
  if (seed % 2 === 0)
    return tryOne(data, damagedCsv(seed), ({ bytes, hasNames }) => faultOfTable(data, bytes, hasNames));
  if (seed % 4 === 1) return tryOne(data, damagedNpy(seed, data), (file) => faultOfArray(data, file));
  return tryOne(data, damagedNpz(seed, data), (file) => faultOfArchive(data, file));
}

/**
 * @template {{ kind: string }} File
 * @param {Data} data @param {File} file
 * @param {(file: File) => Promise<string | undefined> | string | undefined} read - gives what is wrong with what was read.
 * @returns {Promise<import("./shared.mjs").Verdict>}
 */
async function tryOne({ DataError, LimitError }, file, read) {
  const { kind } = file;
  try {
    const wrong = await read(file);
    return wrong === undefined ? { kind, outcome: "read" } : { kind, outcome: "wrong", wrong };
  } catch (error) {
    const expected = error instanceof DataError || error instanceof LimitError;
    const wrong = expected ? faultOfMessage(error) : `${error instanceof Error ? error.stack : error}`;
    return wrong === undefined ? { kind, outcome: "refused" } : { kind, outcome: "wrong", wrong };
  }
}

/** @param {Data} data @param {Uint8Array} bytes @param {boolean} hasNames - whether it began with names before it was damaged. */
function faultOfTable({ readCsv }, bytes, hasNames) {
  const { values, count, dimension, columns, notes = [] } = readCsv(bytes, "points.csv");
  const faulty = notes.map(faultOfMessage).find((fault) => fault !== undefined);
  if (faulty !== undefined) return `a note: ${faulty}`;
  const text = new TextDecoder().decode(bytes);
  if (text.includes('"')) return undefined; // fields over several lines: what is here reads each line alone
  const lines = text
    .split(/\r\n?|\n/)
    .filter((line) => line.trim() !== "" && !/^\s*#(?!N\/A)/i.test(line) && !/^sep=/i.test(line));
  const rows = columns ? lines.slice(1) : lines;
  if (rows.length !== count) return `${count} rows of ${rows.length} lines of numbers: ${JSON.stringify(text)}`;
  if (columns && !hasNames && columns.length > 1 && !notes.some((note) => note.includes("read as a header"))) {
    if (columns.some((name) => Number.isFinite(Number(name || "x"))))
      return `names without a note: ${JSON.stringify(text)}`;
  }
  for (const [row, line] of rows.entries()) {
    // Whatever sets fields apart, the numbers of a line are those that stand in it, in order.
    const numbers = line
      .split(/[,;|\s]+/)
      .filter((field) => field !== "")
      .map(Number);
    const read = [...values.subarray(row * dimension, (row + 1) * dimension)];
    if (read.length !== numbers.length || !read.every((value, i) => Object.is(value, numbers[i]))) {
      return `line ${row + 1} of ${JSON.stringify(text)} read as ${read.join(" ")}`;
    }
  }
  return undefined;
}

/** @param {Data} data @param {ReturnType<typeof damagedNpy>} file */
function faultOfArray({ readNpy }, { bytes, values }) {
  const { data, shape } = readNpy(bytes, "points.npy");
  if (shape.reduce((a, b) => a * b, 1) !== data.length) return `shape ${shape} of ${data.length} elements`;
  // What the header says now, read by other means; dtype and order alone change what elements are.
  const header = new TextDecoder("latin1").decode(bytes.subarray(0, 300));
  const descr = /'descr'\s*:\s*['"]([<>=|]?)(\w+)['"]/.exec(header);
  const plain =
    descr !== null &&
    ["f4", "f8"].includes(/** @type {string} */ (descr[2])) &&
    descr[1] !== ">" &&
    /False/.test(header);
  if (!plain) return undefined;
  const size = descr[2] === "f4" ? 4 : 8;
  const view = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - size * data.length);
  const lying = Array.from(data, (_, i) => (size === 4 ? view.getFloat32(4 * i, true) : view.getFloat64(8 * i, true)));
  if (!lying.every((value, i) => Object.is(value, data[i]))) return "other elements than those that lie in the file";
  if (values && values.length === data.length && !values.every((value, i) => value === data[i]))
    return "other elements than were written";
  return undefined;
}

/** @param {Data} data @param {ReturnType<typeof damagedNpz>} file */
async function faultOfArchive({ readNpz }, { bytes, arrays }) {
  for (const { data, shape } of (await readNpz(bytes, "points.npz")).values()) {
    const same = arrays.some(
      (one) => `${one.shape}` === `${shape}` && one.values.every((value, i) => value === data[i]),
    );
    if (!same) return `an array of shape ${shape} that nobody wrote`;
  }
  return undefined;
}

if (isMain(import.meta.url)) {
  /** @type {Data} */
  const data = await import(new URL("../../dist/data.js", import.meta.url).href);
  await campaign("data-files", 20_000, (seed) => tryDataFile(data, seed));
}
