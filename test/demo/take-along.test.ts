/** What visitors take along: programs that run as they stand, settings, samples, animated pictures. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { bundle } from "../../.build/bundle.mjs";
import { cache, root } from "../../.build/files.mjs";
import { codeOf } from "../../demo/share/code.ts";
import { gifOf } from "../../demo/share/gif.ts";
import { defaultRun, type SharedRun, sharedSets, solvers } from "../../demo/share/run.ts";
import { readNpz } from "../../src/data.ts";
import { cfm, classes, condOT, createRuntime, createTrainer, fdm, mlp, rings, rk4 } from "../../src/index.ts";

vi.mock("divflow", () => import("../../src/index.ts"));
vi.mock("divflow/data", () => import("../../src/data.ts"));
const { learnedOf } = await import("../../demo/train/data.ts");
const { codeFile, gifFile, modelFile, npzFile, settingsFile, settingsIn } = await import("../../demo/share/files.ts");

describe("the program of a run", () => {
  const folder = join(cache, `code-${randomUUID()}`);
  beforeAll(async () => {
    await mkdir(folder, { recursive: true });
    await bundle(folder.slice(root.length + 1));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** What it writes, run by Node as it stands but for where the library is. */
  async function output(code: string): Promise<string> {
    const file = join(folder, `${randomUUID()}.mjs`);
    const library = pathToFileURL(join(folder, "index.js")).href;
    expect(code).toContain('from "divflow"');
    const flows = pathToFileURL(join(folder, "flows.js")).href;
    const own = code.replace('"divflow"', JSON.stringify(library)).replace('"divflow/flows"', JSON.stringify(flows));
    await writeFile(file, own);
    const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 50_000 });
    return stdout;
  }

  const small: SharedRun = { ...defaultRun, width: 8, layers: 2, backend: "wasm", seed: 5 };

  test("trains and samples as the run does, to the digit", async () => {
    const run: SharedRun = {
      ...small,
      data: { kind: "named", name: "rings" },
      sampler: { ...small.sampler, steps: 3 },
    };
    const stdout = await output(codeOf(run, { steps: 3, batchSize: 16, warmUpSteps: 1, learningRate: 1e-9 }));
    expect(stdout).toMatch(/^WebAssembly, as asked/);
    for (const side of ["left", "right"]) expect(stdout).toMatch(new RegExp(`${side} step 3 velocity loss \\d`));
    using runtime = await createRuntime({ backend: "wasm" });
    for (const [name, loss] of [
      ["left", cfm()],
      ["right", fdm({ divergence: 0.1, form: "slice", detachVelocity: true })],
    ] as const) {
      const network = mlp({ dimension: 2, hidden: [8, 8], activation: "silu" });
      const trainer = await createTrainer(runtime, {
        network,
        path: condOT(),
        loss,
        data: rings(),
        batchSize: 16,
        seed: 5,
      });
      // Steps of 1e-9 change no digit that is printed: samples are those of the network as it began.
      const { values } = await trainer.model.sample({ count: 1000, solver: rk4({ steps: 3 }), seed: 5 });
      const printed = new RegExp(`${name} samples \\[ 1000, 2 \\] Float32Array\\(6\\) \\[([^\\]]*)\\]`).exec(
        stdout,
      )?.[1];
      const numbers = (printed ?? "").split(",").map(Number);
      expect(numbers).toHaveLength(6);
      for (const [i, value] of numbers.entries()) expect(Math.abs(value - (values[i] as number))).toBeLessThan(1e-5);
    }
  });

  test("of a drawing, with the adaptive solver", async () => {
    const points = Array.from({ length: 40 }, (_, i) => Math.sin(i) * 2);
    const data = { kind: "ink", title: "*/ `x`", points, deviation: 0.13 } as const;
    const sampler = { solver: "dopri5", steps: 1, tolerance: 0.01 } as const;
    const code = codeOf({ ...small, data, sampler, weights: { left: 0.3, right: 1 } }, { steps: 2, batchSize: 16 });
    expect(code).not.toContain("cfm");
    expect(await output(code)).toMatch(/right samples \[ 1000, 2 \]/);
  });

  test("by class repeats the page's points and labels, and samples what is wanted as strongly", async () => {
    const data = { kind: "named", name: "moons" } as const;
    const sampler = { ...small.sampler, steps: 2, label: 1, guidance: 3 };
    const run: SharedRun = { ...small, data, sampler, byClass: true };
    const stdout = await output(codeOf(run, { steps: 2, batchSize: 16, learningRate: 1e-9, warmUpSteps: 1 }));
    using runtime = await createRuntime({ backend: "wasm" });
    const { source } = learnedOf(data, { byClass: true, seed: 5 });
    const conditions = { label: classes(2, { drop: 0.15 }) };
    using trainer = await createTrainer(runtime, {
      ...{
        network: mlp({ dimension: 2, hidden: [8, 8], activation: "silu", conditions }),
        path: condOT(),
        loss: cfm(),
      },
      ...{ data: source, batchSize: 16, seed: 5 },
    });
    const told = { conditions: { label: 1 }, guidance: 3 };
    const { values } = await trainer.model.sample({ count: 1000, solver: rk4({ steps: 2 }), seed: 5, ...told });
    const printed = /left samples \[ 1000, 2 \] Float32Array\(6\) \[([^\]]*)\]/.exec(stdout)?.[1];
    for (const [i, value] of (printed ?? "").split(",").entries())
      expect(Math.abs(Number(value) - (values[i] as number))).toBeLessThan(1e-5);
    // The first batches are those of the page's own: so is the loss.
    for await (const { velocityLoss } of trainer.run({ steps: 1 }))
      expect(stdout).toContain(`left step 1 velocity loss ${velocityLoss.toFixed(4)}`);
    // With the map beside it, taught by the right model.
    const view = { t: 1, map: "none", overlays: [], axis: "step", jumps: 2 } as const;
    const mapped = codeOf({ ...run, view }, { steps: 2, batchSize: 16, warmUpSteps: 1 });
    expect(mapped).toContain("flowMapSteps({ steps: 2 }), logDensity: true, seed: 5, conditions: { label: 1 } });");
    const short = await output(
      mapped.replaceAll("steps: 4000", "steps: 20").replace("progressEvery: 400", "progressEvery: 20"),
    );
    expect(short).toMatch(/map step 20 loss \d/);
    expect(short).toMatch(/map samples \[ 1000, 2 \] Float32Array\(6\) .* Float64Array\(3\) \[\s*-?\d/s);
    expect(short.match(/map samples/g)).toHaveLength(1);
    const every = codeOf({ ...run, sampler: small.sampler }, { steps: 1 });
    expect(every).toContain("conditions: { label: Array.from({ length: 1000 }, (_, i) => i % 2) } })");
  });

  test("imports what it uses and nothing else, whatever the run", () => {
    for (const name of sharedSets) {
      for (const solver of solvers) {
        const own = { data: { kind: "named", name }, sampler: { ...small.sampler, solver } } as const;
        const run: SharedRun = { ...small, ...own, byClass: solver === "heun" };
        if (solver === "euler")
          Object.assign(run, { view: { t: 1, map: "none", overlays: [], axis: "step", jumps: 1 } });
        const code = codeOf(run, { steps: 1 });
        const lists = [...code.matchAll(/import \{ ([^}]*) \}/g)].map(([, list]) => list);
        const list = lists.join(", ");
        for (const one of list.split(", ")) expect(code.match(new RegExp(`\\b${one}\\(`))).not.toBeNull();
      }
    }
  });
});

describe("files of settings", () => {
  const words = (run: SharedRun) => new TextDecoder().decode(settingsFile(run).bytes);

  test("give back their run", () => {
    const data = { kind: "ink", title: "x", points: [0.1, -2.5], deviation: 0.13 } as const;
    for (const run of [defaultRun, { ...defaultRun, data }]) expect(settingsIn(words(run))).toEqual(run);
  });

  test.each([
    ["{", /no JSON/],
    ["null", /no settings/],
    ['{"kind":"divflow settings","run":{}}', /no settings/],
    ['{"kind":"divflow settings","run":{"data":{"kind":"ink","title":"","points":[null]}}}', /no settings/],
    [JSON.stringify({ kind: "divflow settings", run: { ...defaultRun, layers: 0.5 } }), /asks for 0\.5 layers/],
    [JSON.stringify({ kind: "divflow settings", run: { ...defaultRun, seed: -1 } }), /asks for a seed -1/],
    [JSON.stringify({ kind: "divflow settings", run: { ...defaultRun, view: null } }), /no settings/],
    [JSON.stringify({ kind: "divflow settings", run: { ...defaultRun, view: {} } }), /asks for a time undefined/],
    [JSON.stringify({ kind: "divflow settings", run: { ...defaultRun, byClass: 1 } }), /asks for classes "1"/],
  ])("%s is refused in a sentence", (text, sentence) => {
    expect(() => settingsIn(text)).toThrow(sentence);
  });
});

test("samples, models and programs have names and bytes of their kinds", async () => {
  const values = Float32Array.from([1, 2, 3, 4]);
  const { bytes, name } = npzFile({ left: { values, shape: [2, 2] } });
  expect(name).toBe("samples.npz");
  expect((await readNpz(bytes)).get("left")).toEqual({ shape: [2, 2], data: values });
  expect(modelFile("FDM 0.1", new Uint8Array(3))).toMatchObject({
    name: "fdm-0.1.safetensors",
    bytes: new Uint8Array(3),
  });
  expect(codeFile("x")).toMatchObject({ name: "run.ts", bytes: Uint8Array.of(120) });
});

describe("a GIF", () => {
  /** Frames of a moving square on a ramp of colours. */
  const frames = (count: number, colours: number) =>
    Array.from({ length: count }, (_, f) => {
      const [width, height] = [61, 37];
      const data = new Uint8ClampedArray(4 * width * height);
      for (let i = 0; i < width * height; i++) {
        const isSquare = i % width >= f && i % width < f + 9 && i > 600 && i < 1500;
        const level = Math.floor(((i % width) / width) * colours) * Math.floor(255 / colours);
        data.set(isSquare ? [200, 30, 40, 255] : [level, level, 255 - level, 255], 4 * i);
      }
      return { width, height, data };
    });

  test("of few colours shows each frame as it was", () => {
    const given = frames(5, 20);
    const shown = decoded(gifOf(given, { milliseconds: 80, lastMilliseconds: 1000 }));
    expect(shown.delays).toEqual([8, 8, 8, 8, 100]);
    for (const [i, { data }] of given.entries()) expect(shown.frames[i]).toEqual(rgbOf(data));
  });

  test("of many colours has the nearest there are; of noise, codes begin anew", () => {
    let state = 7;
    const data = Uint8ClampedArray.from({ length: 4 * 120 * 90 }, (_, i) => {
      state = (Math.imul(state, 1103515245) + 12345) | 0;
      return i % 4 === 3 ? 255 : (state >>> 16) & 255;
    });
    const [shown] = decoded(gifOf([{ width: 120, height: 90, data }])).frames;
    const distances = rgbOf(data).map((value, i) => Math.abs(value - ((shown as number[])[i] as number)));
    expect(distances.reduce((sum, one) => sum + one, 0) / distances.length).toBeLessThan(40); // by chance 85
  });

  test("of transparent pictures is on white, and needs frames of one size", () => {
    const data = new Uint8ClampedArray(16);
    expect(decoded(gifOf([{ width: 2, height: 2, data }])).frames[0]).toEqual(new Array(12).fill(255));
    expect(() => gifOf([])).toThrow(/one frame at least/);
    expect(() =>
      gifOf([
        { width: 2, height: 2, data },
        { width: 4, height: 1, data },
      ]),
    ).toThrow(/4 x 1 beside 2 x 2/);
    expect(gifFile([{ width: 2, height: 2, data }])).toMatchObject({ name: "divflow.gif", type: "image/gif" });
  });
});

const rgbOf = (data: ArrayLike<number>) => Array.from(data).filter((_, i) => i % 4 !== 3);

/** Reads a GIF as the format says, apart from what wrote it: RGB of each frame, and how long each is shown. */
function decoded(bytes: Uint8Array): { frames: number[][]; delays: number[] } {
  const short = (at: number) => (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  expect(new TextDecoder().decode(bytes.subarray(0, 6))).toBe("GIF89a");
  const [width, height] = [short(6), short(8)];
  const size = 2 << ((bytes[10] as number) & 7);
  const palette = bytes.subarray(13, 13 + 3 * size);
  const canvas = new Array<number>(3 * width * height).fill(-1);
  const [frames, delays]: [number[][], number[]] = [[], []];
  let at = 13 + 3 * size;
  const blocks = () => {
    const all: number[] = [];
    for (let length = bytes[at++] as number; length > 0; length = bytes[at++] as number) {
      all.push(...bytes.subarray(at, at + length));
      at += length;
    }
    return all;
  };
  for (;;) {
    const kind = bytes[at++];
    if (kind === 0x3b) break;
    if (kind === 0x21) {
      const label = bytes[at++];
      const block = blocks();
      if (label === 0xf9) delays.push((block[1] as number) | ((block[2] as number) << 8));
      continue;
    }
    expect(kind).toBe(0x2c);
    const [left, top, wide, high] = [0, 2, 4, 6].map((offset) => short(at + offset)) as [
      number,
      number,
      number,
      number,
    ];
    expect(bytes[at + 9]).toBe(8); // bits of a pixel, with which codes begin
    at += 10;
    const indices = uncompressed(blocks());
    expect(indices).toHaveLength(wide * high);
    for (const [i, index] of indices.entries()) {
      const place = 3 * ((top + Math.floor(i / wide)) * width + left + (i % wide));
      for (let k = 0; k < 3; k++) canvas[place + k] = palette[3 * index + k] as number;
    }
    frames.push([...canvas]);
  }
  expect(at).toBe(bytes.length);
  return { frames, delays };
}

/** LZW's reading side. */
function uncompressed(bytes: readonly number[]): number[] {
  const [clear, end] = [256, 257];
  let table: number[][] = [];
  let [size, bit] = [9, 0];
  const out: number[] = [];
  let before: number[] | undefined;
  const reset = () => {
    table = Array.from({ length: 258 }, (_, i) => (i < 256 ? [i] : []));
    size = 9;
    before = undefined;
  };
  for (;;) {
    let code = 0;
    for (let i = 0; i < size; i++, bit++) code |= (((bytes[bit >> 3] as number) >> (bit & 7)) & 1) << i;
    if (code === end) return out;
    if (code === clear) {
      reset();
      continue;
    }
    const known: number[] = table[code] ?? [...(before as number[]), (before as number[])[0] as number];
    out.push(...known);
    if (before && table.length < 4096) table.push([...before, known[0] as number]);
    if (table.length === 1 << size && size < 12) size++;
    before = known;
  }
}
