import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CheckpointError } from "../src/errors.ts";
import { HostRandom } from "../src/ops/threefry.ts";
import { duplicateKey } from "../src/train/duplicate-key.ts";
import { type ExpectedTensor, expectFinite, expectTensors } from "../src/train/expect-tensors.ts";
import { readSafetensors } from "../src/train/read-safetensors.ts";
import { type StoredTensor, type TensorFile, type WritableDType, writeSafetensors } from "../src/train/safetensors.ts";

/** Written by the `safetensors` package 0.8.0 for Python from NumPy arrays of eight dtypes. */
const fromPython = new Uint8Array(
  Buffer.from(
    "IAIAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJwdCIsImNvbmZpZyI6IntcImFcIjpcIsO8XCJ9In0sInN0ZXBzIjp7ImR0eXBlIjoiSTY0Iiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbMCwxNl19LCJkb3VibGUiOnsiZHR5cGUiOiJGNjQiLCJzaGFwZSI6WzIsM10sImRhdGFfb2Zmc2V0cyI6WzE2LDY0XX0sIjAuYmlhcyI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMl0sImRhdGFfb2Zmc2V0cyI6WzY0LDcyXX0sIjAud2VpZ2h0Ijp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsyLDNdLCJkYXRhX29mZnNldHMiOls3Miw5Nl19LCJpZHMiOnsiZHR5cGUiOiJVMzIiLCJzaGFwZSI6WzNdLCJkYXRhX29mZnNldHMiOls5NiwxMDhdfSwiaW50Ijp7ImR0eXBlIjoiSTMyIiwic2hhcGUiOltdLCJkYXRhX29mZnNldHMiOlsxMDgsMTEyXX0sImhhbGYiOnsiZHR5cGUiOiJGMTYiLCJzaGFwZSI6WzVdLCJkYXRhX29mZnNldHMiOlsxMTIsMTIyXX0sImJ5dGVzIjp7ImR0eXBlIjoiVTgiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOlsxMjIsMTI0XX19ICAgICAgAQAAAAABAAD9/////////wAAAAAAAOA/AAAAAAAA9L8AAAAAAAAIQAAAAAAAABNA/Knx0k1iUD8AAAAAAAAcwAAAgD8AAABAAAAAPwAAoL8AAEBAAACYQG8SgzoAAODABwAAAAgAAAAJAAAA+////wA8AMH/ewEAAAAB/w==",
    "base64",
  ),
);

const x = [0.5, -1.25, 3, 4.75, 1e-3, -7];

type Tensors = Record<string, StoredTensor<WritableDType>>;
const fileOf = (tensors: Tensors, metadata: Record<string, string> = {}): TensorFile<WritableDType> => ({
  tensors: new Map(Object.entries(tensors)),
  metadata,
});

/** A file with this header text, as it stands, and `dataLength` bytes of data. */
function rawFile(header: string, dataLength: number, headerLength?: bigint): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + dataLength);
  new DataView(bytes.buffer).setBigUint64(0, headerLength ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const entry = (shape: number[], offsets: number[], dtype = "F32") =>
  JSON.stringify({ dtype, shape, data_offsets: offsets });

describe("reading", () => {
  test("what the Python package wrote, in every dtype", () => {
    const { tensors, metadata } = readSafetensors(fromPython);
    expect(metadata).toEqual({ format: "pt", config: '{"a":"ü"}' });
    expect(Object.fromEntries(tensors)).toEqual({
      "0.weight": { dtype: "F32", shape: [2, 3], data: Float32Array.from(x) },
      "0.bias": { dtype: "F32", shape: [2], data: Float32Array.of(1, 2) },
      half: { dtype: "F16", shape: [5], data: Float32Array.of(1, -2.5, 65504, 2 ** -24, 0) },
      double: { dtype: "F64", shape: [2, 3], data: Float64Array.from(x) },
      steps: { dtype: "I64", shape: [2], data: BigInt64Array.of(2n ** 40n + 1n, -3n) },
      ids: { dtype: "U32", shape: [3], data: Uint32Array.of(7, 8, 9) },
      int: { dtype: "I32", shape: [], data: Int32Array.of(-5) },
      bytes: { dtype: "U8", shape: [2], data: Uint8Array.of(1, 255) },
    });
  });

  test("network weights that were written from PyTorch", () => {
    const url = new URL("networks/cnn-classes.safetensors", import.meta.url);
    const { tensors, metadata } = readSafetensors(new Uint8Array(readFileSync(url)));
    const known = JSON.parse(readFileSync(new URL("networks/cnn-classes.json", import.meta.url), "utf8"));
    expect(metadata["network"]).toBe("cnn");
    expect([...tensors.keys()].sort()).toEqual(Object.keys(known.weights).sort());
    for (const [name, { shape, base64 }] of Object.entries<{ shape: number[]; base64: string }>(known.weights)) {
      const tensor = tensors.get(name);
      expect(tensor?.shape).toEqual(shape);
      expect(Buffer.from(tensor?.data.buffer as ArrayBuffer).toString("base64")).toBe(base64);
    }
  });

  test("all of f16 and bf16", () => {
    const bits = Uint16Array.from({ length: 65_536 }, (_, i) => i);
    for (const dtype of ["F16", "BF16"] as const) {
      const bytes = rawFile(`{"a":${entry([65_536], [0, 131_072], dtype)}}`, 131_072);
      bytes.set(new Uint8Array(bits.buffer), bytes.length - 131_072);
      const values = readSafetensors(bytes).tensors.get("a")?.data as Float32Array;
      const [exponentBits, fractionBits] = dtype === "F16" ? [5, 10] : [8, 7];
      const bias = 2 ** (exponentBits - 1) - 1;
      values.forEach((value, i) => {
        const sign = i >> 15 ? -1 : 1;
        const exponent = (i >> fractionBits) & (2 ** exponentBits - 1);
        const fraction = (i & (2 ** fractionBits - 1)) / 2 ** fractionBits;
        const normal = (1 + fraction) * 2 ** (exponent - bias);
        const finite = exponent > 0 ? normal : fraction * 2 ** (1 - bias);
        const special = fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
        if (!Object.is(value, exponent === 2 ** exponentBits - 1 ? special : sign * finite)) {
          expect.fail(`${dtype} ${i}: got ${value}`);
        }
      });
    }
  });

  test("copies: the bytes may change afterwards, and may start anywhere in a buffer", () => {
    const shifted = new Uint8Array(fromPython.length + 5);
    shifted.set(fromPython, 5);
    const { tensors } = readSafetensors(shifted.subarray(5));
    shifted.fill(0);
    expect([...((tensors.get("double") as StoredTensor).data as Float64Array)]).toEqual(x);
  });

  test("a file without tensors, and tensors without elements", () => {
    expect(readSafetensors(rawFile("{}", 0)).tensors.size).toBe(0);
    const { tensors } = readSafetensors(rawFile(`{"a":${entry([0, 5], [0, 0])},"b":${entry([1], [0, 4])}}   `, 4));
    expect(tensors.get("a")).toEqual({ dtype: "F32", shape: [0, 5], data: new Float32Array(0) });
  });
});

describe("writing", () => {
  const random = new HostRandom(1);
  const tensors: Tensors = {
    "2.bias": { dtype: "F32", shape: [3], data: Float32Array.of(-0, 1e-45, 3.4e38) },
    "0.weight": { dtype: "F32", shape: [7, 5], data: Float32Array.from(random.normal(35, 0, 0)) },
    seed: { dtype: "U32", shape: [2], data: Uint32Array.of(0xffffffff, 1) },
    mask: { dtype: "U8", shape: [3], data: Uint8Array.of(1, 0, 255) },
    mean: { dtype: "F64", shape: [], data: Float64Array.of(Math.PI) },
    counts: { dtype: "I32", shape: [1, 2], data: Int32Array.of(-1, 2) },
    step: { dtype: "I64", shape: [1], data: BigInt64Array.of(-(2n ** 62n)) },
    nothing: { dtype: "F32", shape: [0], data: new Float32Array(0) },
  };
  const metadata = { format: "pt", config: '{"path":"cond-ot"}', 'a "quoted"\nname': "\u0000 \ud83d\ude00" };

  test("gives back names, shapes, bits and metadata", () => {
    const file = fileOf(tensors, metadata);
    const read = readSafetensors(writeSafetensors(file));
    expect(Object.fromEntries(read.tensors)).toEqual(tensors);
    expect(Object.is((read.tensors.get("2.bias") as StoredTensor).data[0], -0)).toBe(true);
    expect(read.metadata).toEqual(metadata);
    expect(writeSafetensors(file)).toEqual(writeSafetensors(read as TensorFile<WritableDType>));
  });

  test("names that JavaScript objects treat specially", () => {
    const names = ["__proto__", "constructor", "10", "9", ""];
    const file = { tensors: new Map(names.map((name) => [name, tensors["2.bias"]])), metadata: {} };
    expect([...readSafetensors(writeSafetensors(file)).tensors.keys()].sort()).toEqual([...names].sort());
  });

  test("aligns all data, large elements first", () => {
    const bytes = writeSafetensors(fileOf(tensors, metadata));
    const headerLength = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(headerLength % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength)));
    for (const [name, { data }] of Object.entries(tensors)) {
      expect(header[name].data_offsets[0] % data.BYTES_PER_ELEMENT).toBe(0);
    }
  });

  test("takes views into larger buffers", () => {
    const view = Float32Array.from(x).subarray(2, 4);
    const bytes = writeSafetensors(fileOf({ a: { dtype: "F32", shape: [2], data: view } }));
    expect([...((readSafetensors(bytes).tensors.get("a") as StoredTensor).data as Float32Array)]).toEqual([3, 4.75]);
  });

  test.each<[string, Tensors]>([
    ["a shape that does not fit", { a: { dtype: "F32", shape: [2, 2], data: new Float32Array(3) } }],
    ["an array of another class", { a: { dtype: "F64", shape: [3], data: new Float32Array(3) } }],
    ["the reserved name", { __metadata__: { dtype: "F32", shape: [3], data: new Float32Array(3) } }],
  ])("refuses %s", (_name, wrong) => {
    expect(() => writeSafetensors(fileOf(wrong))).toThrow(CheckpointError);
  });
});

const good = `{"a":${entry([2], [0, 8])},"b":${entry([1], [8, 12])}}`;

describe("damage", () => {
  test.each<[string, Uint8Array, RegExp]>([
    ["an empty file", new Uint8Array(0), /got "0 bytes", expected at least 8/],
    ["a file of seven bytes", new Uint8Array(7), /cut short/],
    [
      "a header length beyond the file",
      rawFile(good, 12, 5000n),
      /header length: got 5000, expected at most .* or no safetensors file; fetch it or save it again\.$/,
    ],
    ["a huge header", rawFile(good, 12, 100_000_001n), /header length: got 100000001, expected at most 100000000/],
    ["the largest header length", rawFile(good, 12, 2n ** 64n - 1n), /header length: got 18446744073709552000/],
    ["a header length that is too small", rawFile(good, 12, BigInt(good.length - 1)), /header: got .*expected JSON/],
    ["a header length that is too large", rawFile(good, 12, BigInt(good.length + 4)), /header: got .*expected JSON/],
    ["no header", rawFile("", 0), /JSON object/],
    ["a header that is no JSON", rawFile('{"a":', 0), /expected JSON/],
    ["a header that is no object", rawFile("[1]", 0), /JSON object/],
    ["a header that does not begin with {", rawFile(` ${good}`, 12), /begins with \{/],
    ["a header that is no UTF-8", rawFile("{}", 0).fill(0xff, 8), /not UTF-8/],
    ["deep nesting", rawFile(`{"a":${"[".repeat(1_000_000)}`, 0), /expected JSON/],
    ["a name twice", rawFile(`{"a":${entry([2], [0, 8])},"\\u0061":${entry([2], [0, 8])}}`, 8), /"a" twice|a\\" twice/],
    [
      "a dtype twice",
      rawFile(`{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4),
      /dtype.*twice/,
    ],
    ["a tensor that is no object", rawFile('{"a":[1]}', 0), /tensor "a": got \[1\]/],
    ["no dtype", rawFile('{"a":{"shape":[1],"data_offsets":[0,4]}}', 4), /dtype: got "none", expected one of F64/],
    ["an unknown dtype", rawFile(`{"a":${entry([4], [0, 4], "F8_E4M3")}}`, 4), /dtype: got "F8_E4M3".*float\(\)/],
    ["an inherited dtype", rawFile(`{"a":${entry([1], [0, 4], "toString")}}`, 4), /dtype: got "toString"/],
    ["no shape", rawFile('{"a":{"dtype":"F32","data_offsets":[0,4]}}', 4), /shape: got "none"/],
    ["a negative size", rawFile(`{"a":${entry([-1, -1], [0, 4])}}`, 4), /shape: got \[-1,-1\]/],
    ["a broken size", rawFile(`{"a":${entry([0.5, 2], [0, 4])}}`, 4), /shape: got \[0.5,2\]/],
    ["sizes beyond any memory", rawFile(`{"a":${entry([2 ** 52, 2 ** 52], [0, 4])}}`, 4), /got "4 bytes", expected/],
    ["a shape that is too large", rawFile(`{"a":${entry([3], [0, 8])}}`, 8), /got "8 bytes", expected 12 for F32/],
    ["a dtype of another size", rawFile(`{"a":${entry([2], [0, 8], "F64")}}`, 8), /got "8 bytes", expected 16 for F64/],
    ["offsets beyond the data", rawFile(good, 11), /tensor "b", data_offsets: got \[8,12\].*11 bytes.*cut short/],
    ["offsets in the wrong order", rawFile(`{"a":${entry([1], [4, 0])}}`, 4), /begin <= end/],
    ["three offsets", rawFile(`{"a":${entry([1], [0, 4, 8])}}`, 8), /\[begin, end\]/],
    ["negative offsets", rawFile(`{"a":${entry([1], [-4, 0])}}`, 4), /begin <= end/],
    [
      "an overlap",
      rawFile(`{"a":${entry([2], [0, 8])},"b":${entry([1], [4, 8])}}`, 8),
      /"b".*inside the tensor before/,
    ],
    ["the same place twice", rawFile(`{"a":${entry([1], [0, 4])},"b":${entry([1], [0, 4])}}`, 4), /inside the tensor/],
    ["a gap", rawFile(`{"a":${entry([1], [0, 4])},"b":${entry([1], [8, 12])}}`, 12), /"b".*after a gap.*begin 4/],
    ["a gap at the start", rawFile(`{"a":${entry([1], [4, 8])}}`, 8), /after a gap/],
    ["bytes after the last tensor", rawFile(good, 16), /data: got "16 bytes", expected 12/],
    ["metadata that is no object", rawFile('{"__metadata__":"a"}', 0), /__metadata__: got "a"/],
    ["metadata that is no text", rawFile('{"__metadata__":{"a":1}}', 0), /expected an object of strings/],
    ["metadata of null", rawFile('{"__metadata__":null}', 0), /expected an object of strings/],
  ])("%s", (_name, bytes, message) => {
    const read = () => readSafetensors(bytes, "model.safetensors");
    expect(read).toThrow(CheckpointError);
    expect(read).toThrow(message);
    expect(read).toThrow(/^model\.safetensors/);
  });

  test.each([fromPython.length, 8 + 544, 300, 9, 8, 1])(
    "is found wherever the file is cut: at most %i bytes",
    (end) => {
      for (let length = Math.max(0, end - 64); length < end; length++) {
        expect(() => readSafetensors(fromPython.subarray(0, length))).toThrow(CheckpointError);
      }
    },
  );

  test("of any bytes gives a CheckpointError or a file, never anything else", () => {
    const random = new HostRandom(2);
    const trials = 4000;
    const draws = random.uniform(10 * trials, 0, 0);
    let refused = 0;
    for (let trial = 0; trial < trials; trial++) {
      const draw = [...draws.subarray(10 * trial, 10 * trial + 10)];
      const bytes = fromPython.slice(0, draw[0] < 0.1 ? Math.floor(draw[1] * fromPython.length) : fromPython.length);
      const flips = 1 + Math.floor(draw[2] * 3);
      for (let flip = 0; flip < flips && bytes.length > 0; flip++) {
        bytes[Math.floor(draw[3 + flip] * bytes.length)] ^= 1 << Math.floor(draw[6 + flip] * 8);
      }
      try {
        readSafetensors(bytes);
      } catch (error) {
        refused++;
        expect(error).toBeInstanceOf(CheckpointError);
      }
    }
    expect(refused).toBeGreaterThan(trials / 3); // four fifths of the file are header
    expect(refused).toBeLessThan(trials); // and a flip in the data cannot be seen
  });
});

test.each<[string, string | undefined]>([
  ['{"a":1,"b":{"a":2},"c":[{"a":1},{"a":1}]}', undefined],
  ['{"a":1,"b":{"c":[],"c":2}}', "c"],
  ['{"a":[{"b":1 , "b" : 2}]}', "b"],
  ['{"x":["a","a"],"y":"a:","a":"}","b":"\\"a\\":"}', undefined],
  ['{"a\\\\":1,"a\\\\":1}', "a\\"],
  ['{"\\u00fc":1,"ü":1}', "ü"],
  ['{"__proto__":1,"__proto__":2}', "__proto__"],
  ['"a"', undefined],
])("the key that stands twice in %s", (json, key) => {
  expect(duplicateKey(json)).toBe(key);
});

type Expected = [name: string, ExpectedTensor];

describe("what a model expects", () => {
  const file = readSafetensors(fromPython);
  const shapes = [...file.tensors].map(([name, { shape, dtype }]): Expected => [name, { shape, dtypes: [dtype] }]);

  test("passes when everything fits", () => {
    expect(() => expectTensors(file, new Map(shapes))).not.toThrow();
  });

  test.each<[string, Expected[], RegExp]>([
    ["missing tensors", [...shapes, ["2.weight", { shape: [1] }]], /without 2\.weight/],
    ["extra tensors", shapes.slice(4), /with unknown steps, double, 0\.bias and 1 more/],
    ["both", [...shapes.slice(1), ["2.bias", { shape: [1] }]], /without 2\.bias, with unknown steps/],
    [
      "another shape",
      [...shapes, ["0.weight", { shape: [3, 2] }]],
      /"0\.weight", shape: got \[2,3\], expected \[3, 2\]/,
    ],
    ["another rank", [...shapes, ["0.weight", { shape: [2, 3, 1] }]], /shape: got \[2,3\]/],
    ["integers for weights", [...shapes, ["ids", { shape: [3] }]], /"ids", dtype: got "U32", expected F64 or F32/],
  ])("refuses %s", (_name, expected, message) => {
    expect(() => expectTensors(file, new Map(expected), "model.safetensors")).toThrow(CheckpointError);
    expect(() => expectTensors(file, new Map(expected), "model.safetensors")).toThrow(message);
  });

  test("finite values, if the caller asks", () => {
    const tensor = (...values: number[]): StoredTensor => ({
      dtype: "F32",
      shape: [3],
      data: Float32Array.from(values),
    });
    expect(() => expectFinite("w", tensor(1, 2, 3))).not.toThrow();
    expect(() => expectFinite("w", tensor(1, Number.NaN, 3))).toThrow(/tensor "w", element 1: got NaN/);
    expect(() => expectFinite("w", tensor(1, 2, Number.NEGATIVE_INFINITY))).toThrow(CheckpointError);
    expect(() => expectFinite("steps", file.tensors.get("steps") as StoredTensor)).not.toThrow();
  });
});
