// Rows of a .npy file as they are wanted: each once in an epoch, in an order of its own that can be gone on from.
import { openAsBlob } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { npyRows, type RowBlock, writeNpy } from "../../src/data.ts";
import { ConfigError, DataError } from "../../src/errors.ts";
import { createTrainer, streamData } from "../../src/index.ts";
import { smallOptions, trainSteps, withRuntime } from "../engine/small.ts";

const count = 23;
/** Row r is [[r, r + 0.5], [-r, 1]]; its label is r mod 5. */
const values = Array.from({ length: count }, (_, r) => [r, r + 0.5, -r, 1]).flat();
const bytes = writeNpy(Float32Array.from(values), [count, 2, 2]);
const labels = writeNpy(
  Float64Array.from({ length: count }, (_, r) => r % 5),
  [count],
);
const blob = (given: Uint8Array) => new Blob([given as Uint8Array<ArrayBuffer>]);

/** Numbers of the rows that come, whose values are checked. */
async function taken(batches: AsyncIterable<RowBlock>): Promise<number[]> {
  const rows: number[] = [];
  for await (const { values, conditions } of batches) {
    for (let i = 0; i < values.length; i += 4) {
      const r = values[i] as number;
      expect([...values.subarray(i, i + 4)]).toEqual([r, r + 0.5, -r, 1]);
      if (conditions) expect(conditions["label"]?.[i / 4]).toBe(r % 5);
      rows.push(r);
    }
  }
  return rows;
}

describe("rows", () => {
  test("come each once in an epoch, in another order in the next", async () => {
    const rows = await npyRows(blob(bytes), { block: 4, seed: 7 });
    expect([rows.count, rows.shape]).toEqual([count, [2, 2]]);
    const epochs = [await taken(rows.batches({ rows: 0 })), await taken(rows.batches({ rows: count }))];
    for (const epoch of epochs)
      expect([...epoch].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, r) => r));
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect(epochs[0]).not.toEqual([...(epochs[0] as number[])].sort((a, b) => a - b));
    const other = await npyRows(blob(bytes), { block: 4, seed: 8 });
    expect(await taken(other.batches({ rows: 0 }))).not.toEqual(epochs[0]);
  });

  test("go on from any place", async () => {
    const rows = await npyRows(blob(bytes), { block: 4 });
    const whole = await taken(rows.batches({ rows: count }));
    for (const from of [0, 1, 4, 6, 22]) {
      expect(await taken(rows.batches({ rows: count + from }))).toEqual(whole.slice(from));
    }
  });

  test("of a shuffle stand anywhere", async () => {
    const rows = await npyRows(blob(bytes), { block: 100 });
    const firsts = new Map<number, number>();
    for (let epoch = 0; epoch < 460; epoch++) {
      const [first] = await taken(rows.batches({ rows: epoch * count }));
      firsts.set(first as number, (firsts.get(first as number) ?? 0) + 1);
    }
    // 20 each; a binomial deviation is 4.4
    for (let r = 0; r < count; r++) expect(Math.abs((firsts.get(r) ?? 0) - 20)).toBeLessThan(5 * 4.4);
  });

  test("bring what is told of them, from files of their own, by whatever reads parts of a file", async () => {
    const reads: [number, number][] = [];
    const file = {
      size: bytes.length,
      async read(from: number, length: number) {
        reads.push([from, length]);
        return bytes.subarray(from, from + length);
      },
    };
    const rows = await npyRows(file, { block: 4, conditions: { label: blob(labels) } });
    expect(rows.conditions).toEqual({ label: { shape: [] } });
    expect((await taken(rows.batches({ rows: 0 }))).length).toBe(count);
    expect(Math.max(...reads.slice(1).map(([, length]) => length))).toBe(4 * 16);
  });
});

test("train, and go on at the row that is next", async () => {
  const folder = await mkdtemp(join(tmpdir(), "divflow-rows-"));
  try {
    const points = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i));
    await writeFile(join(folder, "points.npy"), writeNpy(points, [30, 2]));
    const { shape, batches } = await npyRows(await openAsBlob(join(folder, "points.npy")), { block: 7 });
    await withRuntime("wasm", async (runtime) => {
      const options = smallOptions({ data: streamData({ shape, batches }) });
      const whole = await trainSteps(await createTrainer(runtime, options), 20);
      const first = await createTrainer(runtime, options);
      await trainSteps(first, 9);
      const second = await runtime.resumeTrainer(await first.checkpoint(), { data: options.data });
      expect(await trainSteps(second, 11)).toEqual(whole.slice(9));
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

describe("refused", () => {
  const fortran = new TextDecoder("latin1").decode(bytes).replace("False", "True ");
  test.each<[string, unknown, object, typeof DataError | typeof ConfigError]>([
    ["a path", "points.npy", {}, ConfigError],
    ["a file of another kind", blob(Uint8Array.of(1, 2, 3)), {}, DataError],
    ["a file cut short", blob(bytes.slice(0, -1)), {}, DataError],
    ["Fortran order", blob(Uint8Array.from(fortran, (one) => one.charCodeAt(0))), {}, DataError],
    ["no rows", blob(writeNpy(new Float32Array(0), [0, 2])), {}, DataError],
    [
      "labels of other rows",
      blob(bytes),
      { conditions: { label: blob(bytes), age: blob(writeNpy([1], [1])) } },
      DataError,
    ],
    ["a block of none", blob(bytes), { block: 0 }, ConfigError],
    ["an unknown option", blob(bytes), { blocks: 2 }, ConfigError],
  ])("%s", async (_name, file, options, kind) => {
    await expect(npyRows(file as Blob, options)).rejects.toThrow(kind);
  });
});
