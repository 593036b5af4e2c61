/** What is kept of a visit goes on to the same bits, with smaller batches too; what is damaged, or of another kind, is told. */
import { readFile } from "node:fs/promises";
import { describe, expect, test, vi } from "vitest";
import { givenIn } from "../../demo/keep/kinds.ts";
import { ActivationWanted, opened } from "../../demo/keep/opened.ts";
import { smallerBatch } from "../../demo/keep/room.ts";
import { FORM, type Parts, visitIn } from "../../demo/keep/visit.ts";
import type { News, Settings } from "../../demo/messages.ts";
import { emptyShown } from "../../demo/page/shown.ts";
import { defaultRun } from "../../demo/share/run.ts";
import { type Past, Session } from "../../demo/train/session.ts";
import { LimitError, NumericError, OutOfMemoryError } from "../../src/errors.ts";
import {
  adam,
  arrayData,
  cfm,
  condOT,
  createRuntime,
  createTrainer,
  load,
  type Model,
  mlp,
  rings,
  writeNpy,
} from "../../src/index.ts";
import { torchWeights } from "../platforms/saved-files.ts";

vi.stubGlobal("navigator", { hardwareConcurrency: 1 }); // Node 20 has none
vi.mock("divflow", () => import("../../src/index.ts"));
vi.mock("divflow/flows", () => import("../../src/flows.ts"));
vi.mock("divflow/diagnostics", () => import("../../src/diagnostics.ts"));

const { sampler } = defaultRun;
const small: Settings = {
  ...{ data: { kind: "named", name: "moons" }, width: 8, layers: 1, seed: 3, backend: "wasm" },
  weights: { left: 0, right: 0.3 },
};
const csv = Array.from({ length: 60 }, (_, i) => `${i % 7},${(i * 5) % 11}`).join("\n");
const table: Settings = {
  ...small,
  data: { kind: "table", title: "t.csv", bytes: new TextEncoder().encode(csv) },
};

async function opening(settings: Settings, past?: Past, isRebatched = false) {
  const news: News[] = [];
  const session = await Session.open(1, settings, (one) => news.push(one), { past, isRebatched, canUndo: false });
  return { session, news };
}

async function trained(session: Session, steps: number): Promise<void> {
  for (let left = steps; left > 0; ) left -= await session.turn(left);
}

/** Both files, byte for byte. */
const bytesOf = async (session: Session) => {
  const { left, right } = (await session.past()).entrants;
  return [left.bytes, right.bytes];
};

/** As a browser stores it. */
const stored = (past: Past): Past => structuredClone(past);

describe("a session that is kept and gone on with", () => {
  test.each([
    ["on a named set", small],
    ["on a table", table],
    ["told classes", { ...small, data: { kind: "named", name: "eight-gaussians" }, byClass: true }],
  ] satisfies [string, Settings][])("%s has the bits of one that was not interrupted", async (_, settings) => {
    const { session: straight } = await opening(settings);
    const { session: first } = await opening(settings);
    for (const one of [straight, first]) {
      await trained(one, 3);
      await one.weigh("right", 1);
      await trained(one, 4);
    }
    const { session: second, news } = await opening(first.settings, stored(await first.past()));
    expect(news.find(({ kind }) => kind === "ready")).toMatchObject({ steps: { left: 7, right: 7 }, resumed: true });
    for (const one of [straight, second]) await trained(one, 5);
    expect(second.stepOf("right")).toBe(12);
    expect(await bytesOf(second)).toEqual(await bytesOf(straight));
    for (const one of [straight, first, second]) one.close();
  });

  test("told classes, may be opened as a file", async () => {
    const { session } = await opening({ ...small, data: { kind: "named", name: "eight-gaussians" }, byClass: true });
    await trained(session, 2);
    const entrant = await opened(session.runtime, { name: "c.safetensors", ...(await session.kept("right")) }, sampler);
    expect(Object.keys(entrant.model.conditions)).toEqual(["label"]);
    session.close();
  });

  test("has what was pinned, and what stands behind it", async () => {
    const { session: first } = await opening(small);
    await trained(first, 2);
    const left = (await first.kept("left")).bytes;
    await first.pin("right");
    await trained(first, 2);
    await first.pin("left"); // again: what stands behind it stays
    const { session: second, news } = await opening(small, stored(await first.past()));
    expect(news[0]).toMatchObject({ pinned: "FDM 0.3, pinned", steps: { left: 2, right: 4 } });
    await second.unpin();
    expect((await second.kept("left")).bytes).toEqual(left);
    first.close();
    second.close();
  });

  test("with smaller batches has the same networks at the same steps, and trains", async () => {
    const { session: first } = await opening(small);
    await trained(first, 3);
    const past = await first.past();
    const { session: second, news } = await opening({ ...small, batchSize: 64 }, past, true);
    expect(news[0]).toMatchObject({ steps: { left: 3, right: 3 } });
    using runtime = await createRuntime({ backend: "wasm" });
    const points = Float32Array.of(0.3, -0.2);
    const velocity = async (bytes: Uint8Array) => (await load(runtime, bytes)).velocity(points, [0.4]);
    for (const side of ["left", "right"] as const) {
      const own = (await second.kept(side)).bytes;
      expect(await velocity(own)).toEqual(await velocity(past.entrants[side].bytes));
      expect(metadataOf(own)).toContain('\\"batchSize\\":64');
      expect(metadataOf(own).includes('\\"fdm\\"')).toBe(side === "right");
    }
    await trained(second, 2);
    expect(second.stepOf("left")).toBe(5);
    first.close();
    second.close();
  });
});

/** The header of a safetensors file. */
const metadataOf = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes.subarray(8, 8192));

test("smaller batches are offered where memory is short, down to 32", () => {
  const facts = { subject: "x", given: 1, expected: "less", remedy: "None." };
  for (const error of [
    new OutOfMemoryError(facts),
    new LimitError(facts),
    new RangeError("Array buffer allocation failed"),
  ])
    expect(smallerBatch(error, 512)).toBe(256);
  expect(smallerBatch(new OutOfMemoryError(facts), 64)).toBe(32);
  expect(smallerBatch(new OutOfMemoryError(facts), 63)).toBeUndefined();
  for (const error of [new NumericError(facts), new Error("memory"), new RangeError("precision")])
    expect(smallerBatch(error, 512)).toBeUndefined();
});

describe("a stored visit", () => {
  const curves = { ...emptyShown(), step: 4, seconds: 1, losses: [{ step: 4, seconds: 1, value: 2 }] };
  const entrant = { weight: 0, before: 0, changes: 0, seconds: 1, pinned: undefined, bytes: new Uint8Array(9) };
  const models = { entrants: { left: entrant, right: { ...entrant, pinned: "x" } }, unpinned: entrant };
  const look = { t: 0.5, map: "density", overlays: ["particles"], axis: "step" } as const;
  const view: Parts["now"]["view"] = {
    ...{ shown: { left: curves, right: curves }, before: { left: curves, right: curves } },
    ...{ look, sampler, speed: "0", drawn: [1, -1], hash: "", isRunning: true },
  };
  const parts: Parts = {
    settings: { form: FORM, now: table, before: small },
    now: { models, view },
    ...{ before: models, at: 1 },
  };

  test("is what was stored", () => {
    expect(visitIn(structuredClone(parts))).toEqual({
      ...{ settings: table, models, view },
      before: { settings: small, ...models },
    });
    expect(visitIn({})).toBeUndefined();
    const untrained = { ...parts, before: undefined, now: { models: undefined, view: { ...view, before: undefined } } };
    expect(visitIn(untrained)).toMatchObject({ models: undefined, before: undefined, settings: table });
  });

  test.each([
    ["an older page's", { ...parts, settings: { ...parts.settings, form: FORM - 1 } }],
    ["without a form", { now: parts.now }],
  ])("of another version is told: %s", (_, given) => {
    expect(() => visitIn(given)).toThrow(/of another version of this page/);
  });

  const now = (change: object) => ({ ...parts, now: { models, view: { ...view, ...change } } });
  const settings = (change: object) => ({ ...parts, settings: { ...parts.settings, now: { ...small, ...change } } });
  test.each<[string, object]>([
    ["no view", { ...parts, now: { models } }],
    ["a time beyond 1", now({ look: { ...look, t: 2 } })],
    ["a time that is none", now({ look: { ...look, t: Number.NaN } })],
    ["nothing looked at", now({ look: undefined })],
    ["half a point drawn", now({ drawn: [1] })],
    ["points far away", now({ drawn: [1, 1e9] })],
    ["curves that are no numbers", now({ shown: { left: curves, right: { ...curves, losses: [{ step: 1 }] } } })],
    ["one model's curves", now({ shown: { left: curves } })],
    ["layers of old", now({ look: { ...look, overlays: ["fog"] } })],
    ["a solver of old", now({ sampler: { ...sampler, solver: "leapfrog" } })],
    ["another set", settings({ data: { kind: "named", name: "swiss roll" } })],
    ["no width", settings({ width: undefined })],
    ["half a batch", settings({ batchSize: 0.5 })],
    ["a table without bytes", settings({ data: { kind: "table", title: "t" } })],
    ["one model", { ...parts, now: { view, models: { entrants: { left: entrant } } } }],
    ["a model of no bytes", { ...parts, now: { view, models: { ...models, unpinned: { ...entrant, bytes: [] } } } }],
    ["a weight below 0", { ...parts, before: { entrants: { ...models.entrants, left: { ...entrant, weight: -1 } } } }],
  ])("that is damaged is told: %s", (_, given) => {
    expect(() => visitIn(given)).toThrow("What this browser kept of the last visit is damaged.");
  });
});

describe("files", () => {
  const make = async (dimension: number, use: (model: Model) => Promise<Uint8Array>) => {
    using runtime = await createRuntime({ backend: "wasm" });
    const data =
      dimension === 2
        ? rings()
        : arrayData(
            Float32Array.from({ length: 60 }, (_, i) => Math.sin(i)),
            [20, dimension],
          );
    const network = mlp({ dimension, hidden: [8], activation: "tanh" });
    const trainer = await createTrainer(runtime, {
      ...{ network, path: condOT(), loss: cfm(), optimizer: adam(), data, batchSize: 16, seed: 2 },
    });
    for await (const _ of trainer.run({ steps: 2 }));
    return Uint8Array.from(await use(trainer.model));
  };
  const checkpoint = (dimension = 2) => make(dimension, (model) => model.checkpoint());
  const open = async (name: string, bytes: Uint8Array<ArrayBuffer>, activation?: string) => {
    using runtime = await createRuntime({ backend: "wasm" });
    const { model, pinned } = await opened(runtime, { name, bytes, activation }, sampler);
    const points = Float32Array.of(0.3, -0.2);
    return { title: pinned, step: model.step, velocity: await model.velocity(points, [0.4]) };
  };

  test("are known by what is in them", async () => {
    const model = await checkpoint();
    expect(givenIn("a.bin", model)).toEqual({ kind: "model", bytes: model });
    const template = await readFile(new URL("../../src/html/page/page.html", import.meta.url), "utf8");
    const page = new TextEncoder().encode(template.replace("{model}", Buffer.from(model).toString("base64")));
    const inPage = givenIn("a.html", page);
    expect(inPage.kind).toBe("model");
    const text = (words: string) => new TextEncoder().encode(words);
    expect(givenIn("s.json", text(' \n{"kind": 1}'))).toEqual({ kind: "settings", text: ' \n{"kind": 1}' });
    expect(givenIn("t", text("a,b\n1,2\n")).kind).toBe("table");
    expect(givenIn("t.npy", Uint8Array.from(writeNpy(Float32Array.of(1, 2), [1, 2]))).kind).toBe("table");
    // A page holds what is sampled with: the same field.
    const of = (given: ReturnType<typeof givenIn>) => (given as { bytes: Uint8Array<ArrayBuffer> }).bytes;
    const [own, paged] = [await open("left-fdm-0.1.safetensors", model), await open("p.html", of(inPage))];
    expect(own).toMatchObject({ title: "left-fdm-0.1", step: 2 });
    expect(paged.velocity).toEqual(own.velocity);
  });

  test.each<[string, string, number[], RegExp]>([
    ["nothing", "a.csv", [], /^a\.csv is empty; a model \(\.safetensors.*CSV, npy\) can be opened here\.$/],
    ["a ZIP archive", "a.pt", [0x50, 0x4b, 3, 4, 0], /a\.pt is a ZIP archive, as npz and PyTorch's own files are; /],
    ["a pickle", "a.pkl", [0x80, 2, 0x7d], /a pickle of Python/],
    ["half a model", "m.safetensors", [200, 1, 0, 0, 0, 0, 0, 0, 0x7b, 0x22], /m\.safetensors is cut short or damaged/],
    ["bytes", "a.dat", [1, 2, 0, 4], /a\.dat is of a kind that this page does not know/],
    [
      "another page",
      "a.html",
      [...new TextEncoder().encode("<!doctype html><p>")],
      /a page without a model of divflow/,
    ],
    [
      "a page whose model is none",
      "a.html",
      [...new TextEncoder().encode('<html><script type="text/plain" id="model">AAAA</script>')],
      /a page without a model of divflow/,
    ],
  ])("of other kinds are told: %s", (_, name, bytes, sentence) => {
    expect(() => givenIn(name, Uint8Array.from(bytes))).toThrow(sentence);
  });

  test("of models that cannot be shown are told", async () => {
    const [model, wide] = [await checkpoint(), await checkpoint(3)];
    await expect(open("w.safetensors", wide)).rejects.toThrow(
      /w\.safetensors holds a model that draws 3 numbers a sample/,
    );
    const damaged = model.slice();
    damaged[20] = 0;
    await expect(open("d.safetensors", damaged)).rejects.toThrow(/d\.safetensors/);
  });

  test("of PyTorch's weights are asked for their activation, and have the field they had", async () => {
    const bytes = torchWeights();
    const values = Array.from({ length: 14 }, (_, i) => Math.sin(i + 1)); // as they lie in the file
    const [w, b, v, c] = [values.slice(0, 6), values.slice(6, 8), values.slice(8, 12), values.slice(12)];
    await expect(open("torch.safetensors", bytes)).rejects.toThrow(ActivationWanted);
    const wrong = await open("torch.safetensors", bytes, "cosine").catch((error: unknown) => error);
    expect(wrong).toMatchObject({ message: expect.stringMatching(/cosine/) });
    expect(wrong).not.toBeInstanceOf(ActivationWanted); // asked once, told what is wrong then
    const { velocity, title } = await open("torch.safetensors", bytes, "tanh");
    /** Of a layer's row i, over inputs. */
    const row = (weights: number[], bias: number[], inputs: number[], i: number) =>
      inputs.reduce((sum, x, k) => sum + x * (weights[inputs.length * i + k] as number), bias[i] as number);
    const hidden = [0, 1].map((i) => Math.tanh(row(w, b, [0.3, -0.2, 0.4], i)));
    for (const i of [0, 1]) expect(velocity[i]).toBeCloseTo(row(v, c, hidden, i), 5);
    expect(title).toBe("torch");
  });
});
