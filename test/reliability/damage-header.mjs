/** Model files whose header is damaged, one for each seed. */
import { Random } from "./shared.mjs";

/**
 * A model file in parts: header and data.
 * @typedef {{ readonly header: Record<string, unknown>, readonly data: Uint8Array }} Parts
 */

/** @param {Uint8Array} bytes @returns {Parts} */
export function partsOf(bytes) {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  return { header, data: bytes.subarray(8 + length) };
}

/** @param {string} header - as text. @param {Uint8Array} data */
export function fileOf(header, data) {
  const text = new TextEncoder().encode(header);
  const padded = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded + data.length).fill(0x20, 8, 8 + padded);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + padded);
  return bytes;
}

const MARK = "@@here@@";

const strange = [
  "null",
  "true",
  "false",
  "0",
  "-0",
  "-1",
  "1.5",
  "3",
  "1e400",
  "-1e400",
  "1e-400",
  "1e30",
  "1e-50",
  "4294967295",
  "4294967296",
  "9007199254740993",
  "1e21",
  '""',
  '"x"',
  '"NaN"',
  '"Infinity"',
  '"constructor"',
  '"__proto__"',
  '"\\u001b[31mred"',
  '"a\\nb"',
  '"\\u202egnirts"',
  '"\\ud800"',
  "[]",
  "{}",
  "[1,2,3]",
  '{"name":"cfm"}',
  `"${"long ".repeat(9000)}"`,
  `${"[".repeat(20_000)}${"]".repeat(20_000)}`,
  `${'{"a":'.repeat(5000)}1${"}".repeat(5000)}`,
]; // prettier-ignore

/** Rates in products in products, 4,000 deep: what makes them would call itself as often. */
const nestedRates = `${'{"name":"product","options":{"factors":['.repeat(4000)}{"name":"constant","options":{"rate":1}}${"]}}".repeat(4000)}`;

/**
 * One place in an object of JSON: the object or list that holds it, and the key.
 * @typedef {{ readonly owner: Record<string, unknown>, readonly key: string }} Place
 */

/** All places, at any depth. @param {unknown} value @returns {Place[]} */
function placesIn(value) {
  if (typeof value !== "object" || value === null) return [];
  const owner = /** @type {Record<string, unknown>} */ (value);
  return Object.keys(owner).flatMap((key) => [{ owner, key }, ...placesIn(owner[key])]);
}

/** @type {Record<string, (place: Place, random: Random) => string>} */
const changes = {
  removed({ owner, key }) {
    if (Array.isArray(owner)) owner.splice(Number(key), 1);
    else delete owner[key];
    return "";
  },
  renamed({ owner, key }, random) {
    const value = owner[key];
    delete owner[key];
    const at = random.integer(key.length);
    owner[
      random.of([`${key}x`, key.toUpperCase(), `${key}\u001b[2J`, key.slice(0, at) + key.slice(at + 1), `${key}\n`])
    ] = value;
    return "";
  },
  added({ owner }, random) {
    owner[random.of(["extra", "\u001b]0;title\u0007", "__proto__x", "constructor", "learningRate", "final", "beta1"])] =
      MARK;
    return random.of(strange);
  },
  retyped({ owner, key }, random) {
    owner[key] = MARK;
    return random.of(strange);
  },
  "with nested rates"({ owner, key }) {
    owner[key] = MARK;
    return nestedRates;
  },
  "named twice"({ owner, key }, random) {
    const before = JSON.stringify(owner[key]);
    owner[key] = MARK;
    return Array.isArray(owner)
      ? `${before},${before}`
      : `${before},${JSON.stringify(key)}:${random.of([before, ...strange])}`;
  },
  "a digit changed"({ owner, key }, random) {
    const before = JSON.stringify(owner[key]);
    owner[key] = MARK;
    const digits = [...before.matchAll(/\d/g)].map(({ index }) => index);
    if (digits.length === 0) return random.of(strange);
    const at = random.of(digits);
    return before.slice(0, at) + random.integer(10) + before.slice(at + 1);
  },
  "a sign or exponent put in"({ owner, key }, random) {
    const before = JSON.stringify(owner[key]);
    owner[key] = MARK;
    return random.of([
      `-${before}`,
      `${before}e9`,
      `${before}e-9`,
      `${before}.5`,
      `0${before}`,
      `+${before}`,
      `${before},`,
    ]);
  },
};

/**
 * The damaged file of a seed.
 * @param {readonly Parts[]} files
 * @param {number} seed
 * @returns {{ kind: string, bytes: Uint8Array, base: number, twice?: boolean }} `twice`: an object has a name twice.
 */
export function damagedHeader(files, seed) {
  const random = new Random(seed);
  const base = random.integer(files.length);
  const { header, data } = structuredClone(/** @type {Parts} */ (files[base]));
  const whole = fileOf(JSON.stringify(header), data);
  const headerEnd = whole.length - data.length;
  const kind = random.of(["bits flipped", "bytes changed", "lengths", "fields", "fields", "fields", "entries"]);
  if (kind === "bits flipped" || kind === "bytes changed") {
    for (let times = 1 + random.integer(3); times > 0; times--) {
      const at = random.integer(headerEnd);
      whole[at] =
        kind === "bits flipped" ? /** @type {number} */ (whole[at]) ^ (1 << random.integer(8)) : random.integer(256);
    }
    return { kind, bytes: whole, base };
  }
  if (kind === "lengths") {
    const cut = random.integer(3);
    if (cut === 0) return { kind: "cut short", bytes: whole.slice(0, random.integer(whole.length)), base };
    if (cut === 1)
      return { kind: "too long", bytes: new Uint8Array([...whole, ...new Uint8Array(1 + random.integer(40))]), base };
    const lengths = [0n, 1n, BigInt(headerEnd - 9), BigInt(headerEnd - 7), 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n];
    new DataView(whole.buffer).setBigUint64(0, random.of(lengths), true);
    return { kind: "another header length", bytes: whole, base };
  }
  const metadata = /** @type {Record<string, string>} */ (header["__metadata__"]);
  const facts = JSON.parse(/** @type {string} */ (metadata["divflow"]));
  const places = placesIn(kind === "fields" ? facts : header);
  // Most cases are of what a run is (optimizer, rates, average, validation), or of what it is told and what its samples are.
  const told = [facts, facts["training"]?.["data"]?.["options"]].flatMap((owner) =>
    ["shape", "conditions"].filter((key) => Object(owner)[key] !== undefined).map((key) => ({ owner, key })),
  );
  const ofTold = told.flatMap(({ owner, key }) => [{ owner, key }, ...placesIn(owner[key])]);
  const ofRun = placesIn(facts["training"]);
  const share = random.uniform();
  const chosen = share < 0.4 ? ofRun : share < 0.8 && ofTold.length > 0 ? ofTold : places;
  const place = random.of(kind === "fields" ? chosen : places);
  const change = random.of(Object.keys(changes));
  const raw = /** @type {(typeof changes)[string]} */ (changes[change])(place, random);
  const twice = change === "named twice" && !Array.isArray(place.owner);
  const put = (/** @type {unknown} */ value) => JSON.stringify(value).replace(`"${MARK}"`, () => raw);
  if (kind === "entries") return { kind: `an entry ${change}`, bytes: fileOf(put(header), data), base, twice };
  metadata["divflow"] = put(facts);
  const meant = random.uniform() < 0.5; // half as another program would: without the checksum of what was there
  if (meant) delete metadata["divflow.checksum"];
  const form = meant || metadata["divflow.checksum"] === undefined ? "without a checksum" : "with its checksum";
  return { kind: `a field ${change}, ${form}`, bytes: fileOf(JSON.stringify(header), data), base, twice };
}
