// .npz: what NumPy wrote is read, what we write is what NumPy's and every other program's unzip can read, damage is seen.
import { describe, expect, test } from "vitest";
import { crc32 } from "../../src/data/crc32.ts";
import { NpzArchive, readNpz } from "../../src/data/npz.ts";
import { writeNpz } from "../../src/data/write-npz.ts";
import { DataError } from "../../src/errors.ts";
import { HostRandom } from "../../src/ops/threefry.ts";

const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));
const x = [0.5, -1.25, 3, 4.75, 1e-3, -7];

/** Written by NumPy 2.4: savez(x=f8 [3, 2], labels=i1 [3]); savez_compressed(x=f4 [3, 2], names of text); savez of two tables. */
const stored = bytesOf(
  "UEsDBC0AAAAAAAAAIQAlk2YH//////////8FABQAeC5ucHkBABAAsAAAAAAAAACwAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxmOCcsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgzLCAyKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAAAAAAAA4D8AAAAAAAD0vwAAAAAAAAhAAAAAAAAAE0D8qfHSTWJQPwAAAAAAABzAUEsDBC0AAAAAAAAAIQDOkRdu//////////8KABQAbGFiZWxzLm5weQEAEACDAAAAAAAAAIMAAAAAAAAAk05VTVBZAQB2AHsnZGVzY3InOiAnfGkxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAgNQSwECLQMtAAAAAAAAACEAJZNmB7AAAACwAAAABQAAAAAAAAAAAAAAgAEAAAAAeC5ucHlQSwECLQMtAAAAAAAAACEAzpEXboMAAACDAAAACgAAAAAAAAAAAAAAgAHnAAAAbGFiZWxzLm5weVBLBQYAAAAAAgACAGsAAACmAQAAAAA=",
);
const deflated = bytesOf(
  "UEsDBC0AAAAIAAAAIQBXQK0W//////////8FABQAeC5ucHkBABAAmAAAAAAAAABfAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GsY6CkaaOgq1CmQDLgYGBnsGhgX7GRgcHBgYZjjkCzVbMTA8OAAAUEsDBC0AAAAIAAAAIQCnL+Ds//////////8JABQAbmFtZXMubnB5AQAQAIgAAAAAAAAASwAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBuE2qorqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFACuRAYGhiQgBgBQSwECLQMtAAAACAAAACEAV0CtFl8AAACYAAAABQAAAAAAAAAAAAAAgAEAAAAAeC5ucHlQSwECLQMtAAAACAAAACEApy/g7EsAAACIAAAACQAAAAAAAAAAAAAAgAGWAAAAbmFtZXMubnB5UEsFBgAAAAACAAIAagAAABwBAAAAAA==",
);
const twoTables = bytesOf(
  "UEsDBC0AAAAAAAAAIQBXQK0W//////////8JABQAYXJyXzAubnB5AQAQAJgAAAAAAAAAmAAAAAAAAACTTlVNUFkBAHYAeydkZXNjcic6ICc8ZjQnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMywgMiksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgCgAAAD8AAKC/AABAQAAAmEBvEoM6AADgwFBLAwQtAAAAAAAAACEAG67lnP//////////CQAUAGFycl8xLm5weQEAEACgAAAAAAAAAKAAAAAAAAAAk05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAADgPwAAAAAAAPS/AAAAAAAACEAAAAAAAAATQFBLAQItAy0AAAAAAAAAIQBXQK0WmAAAAJgAAAAJAAAAAAAAAAAAAACAAQAAAABhcnJfMC5ucHlQSwECLQMtAAAAAAAAACEAG67lnKAAAACgAAAACQAAAAAAAAAAAAAAgAHTAAAAYXJyXzEubnB5UEsFBgAAAAACAAIAbgAAAK4BAAAAAA==",
);

/** A file that says what of it was read. */
function open(bytes: Uint8Array, source = "points.npz"): Promise<NpzArchive> {
  return NpzArchive.open(
    { size: bytes.length, read: async (from, length) => bytes.slice(from, from + length) },
    source,
  );
}

describe("reading", () => {
  test("savez and savez_compressed", async () => {
    const arrays = await readNpz(stored);
    expect([...arrays.keys()]).toEqual(["x", "labels"]);
    expect(arrays.get("x")).toEqual({ shape: [3, 2], data: Float64Array.from(x) });
    expect(arrays.get("labels")).toEqual({ shape: [3], data: Float64Array.of(1, 2, 3) });
    expect((await readNpz(deflated, "a.npz", ["x"])).get("x")).toEqual({ shape: [3, 2], data: Float32Array.from(x) });
  });

  test("lists arrays without reading them, those without numbers too", async () => {
    expect((await open(deflated)).entries).toEqual([{ name: "x", shape: [3, 2] }, { name: "names" }]);
  });

  test("chooses the only array of two axes or more, or the one that is asked for", async () => {
    expect((await open(stored)).choose()).toBe("x");
    expect((await open(stored)).choose("labels")).toBe("labels");
    expect((await open(writeNpz({ a: { values: new Float32Array(3), shape: [3] } }))).choose()).toBe("a");
    const two = await open(twoTables);
    expect(() => two.choose()).toThrow(DataError);
    expect(() => two.choose()).toThrow(/2 arrays.*arr_0 \[3, 2\], arr_1 \[2, 2\].*--array/);
    const cube = await open(writeNpz({ cube: { values: new Float32Array(8), shape: [2, 2, 2] } }));
    expect(cube.choose()).toBe("cube"); // two points of shape [2, 2]
    const flat = { values: new Float32Array(3), shape: [3] };
    const lists = await open(writeNpz({ a: flat, b: flat }));
    expect(() => lists.choose()).toThrow(/2 arrays.*a \[3\], b \[3\].*--array/);
  });

  test.each<[string, Uint8Array, string[] | undefined, RegExp]>([
    ["an array that is not there", stored, ["y"], /points.npz: got .*y.*expected one of x \[3, 2\], labels \[3\]/],
    ["an array of text", deflated, ["names"], /names, dtype: got "<U1"/],
    ["a file that is cut short", stored.subarray(0, stored.length - 30), undefined, /without a directory/],
    ["no bytes", new Uint8Array(0), undefined, /without a directory/],
    ["a spreadsheet", zipOf("xl/workbook.xml"), undefined, /xl\/workbook.xml.*spreadsheet as CSV/],
  ])("refuses %s", async (_, bytes, names, message) => {
    await expect(readNpz(bytes, "points.npz", names)).rejects.toThrow(DataError);
    await expect(readNpz(bytes, "points.npz", names)).rejects.toThrow(message);
  });

  test("a damaged file is read as it was or refused with a DataError, whatever is damaged", async () => {
    const draws = new HostRandom(12).uniform(2 * 120, 0, 0);
    for (const whole of [stored, deflated]) {
      const right = await readNpz(whole, "a.npz", ["x"]);
      for (let trial = 0; trial < 120; trial++) {
        const bytes = whole.slice();
        bytes[Math.floor(draws[2 * trial] * bytes.length)] ^= 1 << Math.floor(draws[2 * trial + 1] * 8);
        const read = await readNpz(bytes, "a.npz", ["x"]).catch((error: unknown) => error);
        if (read instanceof Map) expect(read).toEqual(right);
        else expect(read).toBeInstanceOf(DataError);
      }
    }
  });
});

describe("writing", () => {
  test("is undone by reading, f32 and f64, names in any script", async () => {
    const arrays = {
      samples: { values: Float64Array.from(x), shape: [3, 2] },
      logDensity: { values: Float32Array.of(-1.5, 2, 0.25), shape: [3] },
      größe: { values: new Float32Array(0), shape: [0, 2] },
    };
    const read = await readNpz(writeNpz(arrays));
    expect([...read]).toEqual(
      Object.entries(arrays).map(([name, { values, shape }]) => [name, { shape, data: values }]),
    );
  });

  test("refuses names with slashes, and shapes that do not fit", () => {
    expect(() => writeNpz({ "a/b": { values: new Float32Array(1), shape: [1] } })).toThrow(/without slashes/);
    expect(() => writeNpz({ a: { values: new Float32Array(1), shape: [2] } })).toThrow(DataError);
  });

  test("has the checksum that ZIP is defined with", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
    expect(crc32(new TextEncoder().encode("6789"), crc32(new TextEncoder().encode("12345")))).toBe(0xcbf43926);
  });
});

/** An archive whose only file has this name. */
function zipOf(name: string): Uint8Array {
  const bytes = writeNpz({ ["_".repeat(name.length - 4)]: { values: new Float32Array(1), shape: [1] } });
  const text = Buffer.from(bytes);
  for (let at = text.indexOf("_"); at >= 0; at = text.indexOf("_", at + 1)) text.write(name, at);
  return new Uint8Array(text);
}
