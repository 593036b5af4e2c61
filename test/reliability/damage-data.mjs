/** Files of points that are damaged, one for each seed, and what is right to read in them. */
import { deflateRawSync } from "node:zlib";
import { Random } from "./shared.mjs";

/** @typedef {typeof import("../../src/data.ts")} Data */

const strangeFields = [
  "",
  " ",
  "NA",
  "nan",
  "inf",
  "-",
  "x",
  "1e999",
  "0x10",
  "1,5",
  '"',
  '"3"',
  "1 2",
  "\u001b[2J",
  "\u202e7",
  "😀",
  "\ufffd",
  "#",
  "-.e1",
  "+",
  "1e",
  `${"1".repeat(3000)}x`,
  "1".repeat(400),
  "--1",
  "1__0",
  "٣",
]; // prettier-ignore

/** A table of numbers as text. @param {Random} random */
function tableOf(random) {
  const [rows, columns] = [2 + random.integer(12), 1 + random.integer(4)];
  const delimiter = random.of([",", ";", "\t", " ", "|"]);
  const number = random.of([
    () => (random.uniform() * 8 - 4).toFixed(3),
    () => `${random.integer(100) - 50}`,
    () => `${(random.uniform() * 8 - 4).toExponential(4)}`,
  ]);
  const names =
    random.uniform() < 0.4
      ? Array.from({ length: columns }, (_, i) => random.of(["x", "age ", "log p"]).trim().replace(" ", "_") + i)
      : [];
  const lines = Array.from({ length: rows }, () => Array.from({ length: columns }, number));
  const text = [...(names.length > 0 ? [names] : []), ...lines].map((fields) => fields.join(delimiter));
  return { text: text.join(random.of(["\n", "\r\n"])) + random.of(["", "\n"]), hasNames: names.length > 0, delimiter };
}

/**
 * A table as text, damaged. `named`: whether it began with names before.
 * @param {number} seed
 */
export function damagedCsv(seed) {
  const random = new Random(seed);
  const { text, hasNames, delimiter } = tableOf(random);
  const kind = random.of([
    "bits flipped",
    "bytes changed",
    "a field changed",
    "cut short",
    "a piece twice",
    "garbage put in",
  ]);
  let bytes = new TextEncoder().encode(text);
  // Half of all damage is on the first line: that it is one of names must not be the answer to it.
  const first = random.uniform() < 0.5;
  const end = first ? Math.max(1, bytes.indexOf(10)) : bytes.length;
  if (kind === "bits flipped" || kind === "bytes changed") {
    for (let times = 1 + random.integer(2); times > 0; times--) {
      const at = random.integer(end);
      bytes[at] =
        kind === "bits flipped" ? /** @type {number} */ (bytes[at]) ^ (1 << random.integer(8)) : random.integer(256);
    }
  } else if (kind === "a field changed") {
    const lines = text.split("\n");
    const line = first ? 0 : random.integer(lines.length);
    const fields = /** @type {string} */ (lines[line]).split(delimiter);
    fields[random.integer(fields.length)] = random.of(strangeFields);
    lines[line] = fields.join(delimiter);
    bytes = new TextEncoder().encode(lines.join("\n"));
  } else if (kind === "cut short") bytes = bytes.slice(0, random.integer(bytes.length));
  else {
    const at = random.integer(end);
    const piece =
      kind === "a piece twice"
        ? bytes.slice(at, at + random.integer(20))
        : Uint8Array.from({ length: random.integer(20) }, () => random.integer(256));
    bytes = new Uint8Array([...bytes.slice(0, at), ...piece, ...bytes.slice(at)]);
  }
  return { kind: `csv, ${kind}`, bytes, hasNames };
}

/** @param {Random} random @param {Data} data */
function arrayOf(random, { writeNpy }) {
  const shape = random.of([[6], [3, 2], [2, 3], [0, 4]]);
  const count = shape.reduce((a, b) => a * b, 1);
  const values = Array.from({ length: count }, () => random.integer(1000) / 8);
  return {
    bytes: writeNpy(random.uniform() < 0.5 ? Float32Array.from(values) : Float64Array.from(values), shape),
    values,
    shape,
  };
}

const literals = [
  "()",
  "(3, 2",
  "(3L, 2L)",
  "(-3, 2)",
  "(1e9, 2)",
  "(99999999999999999999, 2)",
  "(0, 99999999999)",
  "('3', 2)",
  "[3, 2]",
  "None",
  `(${"1,".repeat(20_000)})`,
  `${"(".repeat(30_000)}`,
  "(3, 2, 1)",
  "(6,)",
  "(6, 1)",
  "{}",
  "(True, 6)",
  "'\u001b[2J'",
  "(\u202e6,)",
]; // prettier-ignore

/**
 * An array as NumPy writes it, damaged. `values`: what the data are; undefined where they were changed too.
 * @param {number} seed @param {Data} data
 */
export function damagedNpy(seed, data) {
  const random = new Random(seed);
  const { bytes, values, shape } = arrayOf(random, data);
  const header = new DataView(bytes.buffer).getUint16(8, true);
  const kind = random.of([
    "bits of the header",
    "bits of the data",
    "bytes of the header",
    "cut short",
    "too long",
    "a header rewritten",
  ]);
  const from = 10 + header;
  if (kind.startsWith("bits") || kind.startsWith("bytes")) {
    const inData = kind === "bits of the data" && from < bytes.length;
    for (let times = 1 + random.integer(2); times > 0; times--) {
      const at = inData ? from + random.integer(bytes.length - from) : random.integer(from);
      bytes[at] = kind.startsWith("bits")
        ? /** @type {number} */ (bytes[at]) ^ (1 << random.integer(8))
        : random.integer(256);
    }
    return { kind: `npy, ${kind}`, bytes, values: inData ? undefined : values, shape };
  }
  if (kind === "cut short")
    return { kind: `npy, ${kind}`, bytes: bytes.slice(0, random.integer(bytes.length)), values: undefined, shape };
  if (kind === "too long")
    return {
      kind: `npy, ${kind}`,
      bytes: new Uint8Array([...bytes, ...new Uint8Array(1 + random.integer(20))]),
      values: undefined,
      shape,
    };
  const text = new TextDecoder("latin1").decode(bytes.subarray(10, from));
  const other = random.of([
    () => text.replace(/\(.*\)/, () => random.of(literals)),
    () =>
      text.replace(/'<f\d'/, () =>
        random.of(["'<f2'", "'>f4'", "'<f16'", "'|O'", "5", "'<i8'", "('<f4', 2)", "''", "'constructor'"]),
      ),
    () => text.replace("False", () => random.of(["True", "0", "None", "'x'", "Falsee"])),
    () => text.replace("'shape'", () => random.of(["'shap'", "'__proto__'", "'descr'", "shape"])),
  ])();
  const rewritten = new TextEncoder().encode(other);
  const whole = new Uint8Array(12 + rewritten.length + bytes.length - from);
  whole.set(bytes.subarray(0, 6));
  whole[6] = 2;
  new DataView(whole.buffer).setUint32(8, rewritten.length, true);
  whole.set(rewritten, 12);
  whole.set(bytes.subarray(from), 12 + rewritten.length);
  return { kind: `npy, ${kind}`, bytes: whole, values, shape };
}

/**
 * An archive of arrays, stored or deflated, damaged anywhere. `arrays`: what is in it.
 * @param {number} seed @param {Data} data
 */
export function damagedNpz(seed, data) {
  const random = new Random(seed);
  const arrays = Array.from({ length: 1 + random.integer(2) }, (_, i) => ({
    name: `array${i}`,
    ...arrayOf(random, data),
  }));
  const bytes = zipOf(
    arrays.map(({ name, bytes }) => ({ name: `${name}.npy`, bytes })),
    random.uniform() < 0.5,
  );
  const kind = random.of(["bits flipped", "bytes changed", "cut short", "a piece removed"]);
  if (kind === "cut short")
    return { kind: `npz, ${kind}`, bytes: bytes.slice(0, random.integer(bytes.length)), arrays };
  if (kind === "a piece removed") {
    const at = random.integer(bytes.length);
    return {
      kind: `npz, ${kind}`,
      bytes: new Uint8Array([...bytes.slice(0, at), ...bytes.slice(at + 1 + random.integer(8))]),
      arrays,
    };
  }
  for (let times = 1 + random.integer(3); times > 0; times--) {
    const at = random.integer(bytes.length);
    bytes[at] =
      kind === "bits flipped" ? /** @type {number} */ (bytes[at]) ^ (1 << random.integer(8)) : random.integer(256);
  }
  return { kind: `npz, ${kind}`, bytes, arrays };
}

/** @param {readonly { name: string, bytes: Uint8Array }[]} files @param {boolean} deflated */
function zipOf(files, deflated) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, bytes } of files) {
    const packed = deflated ? deflateRawSync(bytes) : bytes;
    const text = Buffer.from(name);
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt16LE(deflated ? 8 : 0, 4);
    facts.writeUInt32LE(crcOf(bytes), 10);
    facts.writeUInt32LE(packed.length, 14);
    facts.writeUInt32LE(bytes.length, 18);
    facts.writeUInt16LE(text.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), facts, text]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), facts, tail, text]));
    parts.push(local, packed);
    offset += local.length + packed.length;
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(entries.length, 8);
  end.writeUInt32LE(offset, 12);
  return new Uint8Array(Buffer.concat([...parts, entries, Buffer.from("PK\x05\x06"), end]));
}

/** CRC-32, bit by bit: another way than the reader's. @param {Uint8Array} bytes */
function crcOf(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
