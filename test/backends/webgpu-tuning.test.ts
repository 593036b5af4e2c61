import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { DeviceTraits, LinearChoice } from "../../src/backends/webgpu/linear-choice.ts";
import { chooseProduct } from "../../src/backends/webgpu/lower.ts";
import { alone } from "../../src/backends/webgpu/measure-product.ts";
import { createTuner, fastest, type Measure, rivalKernels, type TunerParts } from "../../src/backends/webgpu/tune.ts";
import { cacheFolder, fileStore } from "../../src/backends/webgpu/tuning-store.ts";
import type { KernelCall } from "../../src/schedule/program.ts";
import { kernelCall } from "../conformance/kernel-programs.ts";

const gpu: DeviceTraits = { software: false };

function product(rows: number, columns: number, depth: number): KernelCall {
  const place = (name: string, length: number) => ({ region: { kind: "state" as const, name }, offset: 0, length });
  const parameters = { rows, columns, depth, transposeLeft: 0, transposeRight: 0, biasRows: 0 };
  const call = kernelCall("linear", parameters, {
    left: place("left", rows * depth),
    right: place("right", depth * columns),
    out: place("out", rows * columns),
  });
  return { ...call, flops: 2 * rows * columns * depth };
}

/** A measurer that writes down what it is asked, and lets `small` win. */
function recorder(times: (choices: readonly LinearChoice[]) => readonly number[] | undefined = smallWins) {
  const asked: string[] = [];
  const measure: Measure = async ({ parameters: { rows, columns, depth } }, choices) => {
    asked.push(`${rows} x ${depth} x ${columns}: ${choices.map(({ kernel }) => kernel)}`);
    return times(choices);
  };
  return { asked, measure };
}

function smallWins(choices: readonly LinearChoice[]): number[] {
  return choices.map(({ kernel }) => (kernel === "small" ? 1 : 2));
}

function tuner(parts: Partial<TunerParts> & Pick<TunerParts, "measure">) {
  return createTuner({ lowering: { traits: gpu }, adapter: ["a GPU"], store: undefined, ...parts });
}

const large = product(4096, 1024, 1024);

describe("what products run by", () => {
  test("the fastest kernel, in as many segments as without tuning", async () => {
    const { measure } = recorder();
    const deep = product(1024, 1024, 4096);
    const choose = await tuner({ measure })({ calls: [large, deep] });
    for (const call of [large, deep]) {
      const untuned = chooseProduct(call, gpu);
      expect(untuned.kernel).toBe("tile");
      expect(choose(call)).toEqual({ ...untuned, kernel: "small" });
    }
  });

  test("the usual one for a call of another program, and where nothing could be measured", async () => {
    const { measure } = recorder(() => undefined);
    const choose = await tuner({ measure })({ calls: [large] });
    for (const call of [large, product(64, 64, 64)]) expect(choose(call)).toEqual(chooseProduct(call, gpu));
  });

  test("rivals add up alike: a panel has none", () => {
    expect(rivalKernels("tile")).toEqual(["tile", "small"]);
    expect(rivalKernels("small")).toEqual(["small", "tile"]);
    expect(rivalKernels("strip")).toEqual(["strip", "registers"]);
    expect(rivalKernels("panel")).toEqual(["panel"]);
    const sized = (columns: number) => ({ rows: 576, columns, depth: 6272, groups: 1 });
    expect(rivalKernels("tile", sized(64))).toEqual(["tile", "small", "square"]);
    expect(rivalKernels("narrow", sized(32))).toEqual(["narrow", "tile", "small"]);
    expect(rivalKernels("small", sized(96))).toEqual(["small", "tile", "narrow"]);
  });

  test("the usual one unless another is faster by more than noise", () => {
    expect(fastest(["tile", "small"], [1, 0.97])).toBe("tile");
    expect(fastest(["tile", "small"], [1, 0.9])).toBe("small");
    expect(fastest(["tile", "small"], [1, Number.POSITIVE_INFINITY])).toBe("tile");
  });
});

describe("what is measured", () => {
  test("each class once, the most work first: sizes that round to the same powers of 2 are of one", async () => {
    const { asked, measure } = recorder();
    const tune = tuner({ measure });
    await tune({ calls: [product(96, 64, 64), large, product(4000, 1040, 1008)] });
    await tune({ calls: [product(4096, 1024, 992)] });
    expect(asked).toEqual(["4096 x 1024 x 1024: tile,small", "96 x 64 x 64: small,tile"]);
  });

  test("programs loaded at once wait for each other", async () => {
    let running = 0;
    const measure: Measure = async (_, choices) => {
      expect(++running).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
      return smallWins(choices);
    };
    const tune = tuner({ measure });
    const chosen = await Promise.all([large, product(64, 64, 64)].map((call) => tune({ calls: [call] })));
    expect(chosen[0]?.(large).kernel).toBe("small");
  });

  test("after the shaders of all unknown classes are compiled, each class once: a slow driver uses up no time", async () => {
    const { asked, measure } = recorder();
    const compiled: string[] = [];
    const compile = async ({ parameters: { rows } }: KernelCall, choices: readonly LinearChoice[]) => {
      await new Promise((resolve) => setTimeout(resolve, 400)); // longer than all measurements may take together
      expect(asked).toEqual([]);
      compiled.push(`${rows}: ${choices.map(({ kernel }) => kernel)}`);
    };
    const tune = tuner({ measure, compile });
    const small = product(96, 64, 64);
    await tune({ calls: [small, large, product(4000, 1040, 1008)] });
    expect(compiled.sort()).toEqual(["4096: tile,small", "96: small,tile"]);
    expect(asked).toHaveLength(2);
    compiled.length = 0;
    await tune({ calls: [small] });
    expect(compiled).toEqual([]); // known
  });

  test("a shader that does not compile keeps nothing back", async () => {
    const { asked, measure } = recorder();
    const compile = () => Promise.reject(new Error("refused"));
    await tuner({ measure, compile })({ calls: [large] });
    expect(asked).toHaveLength(1);
  });

  test("again by the next program when a measurement fails, and loading goes on", async () => {
    const { asked, measure } = recorder(() => {
      throw new Error("lost");
    });
    const tune = tuner({ measure });
    for (const _ of [1, 2]) expect((await tune({ calls: [large] }))(large).kernel).toBe("tile");
    expect(asked).toHaveLength(2);
  });
});

describe("what is kept", () => {
  test("for the next tuner on such an adapter, and for no other", async () => {
    const store = new Map<string, string>();
    const { asked, measure } = recorder();
    await tuner({ measure, store })({ calls: [large] });
    const choose = await tuner({ measure, store })({ calls: [large] });
    expect(choose(large).kernel).toBe("small");
    expect(asked).toHaveLength(1);
    await tuner({ measure, store, adapter: ["another GPU"] })({ calls: [large] });
    expect(asked).toHaveLength(2);
    expect(store.size).toBe(2);
  });

  test.each<[string, TunerParts["store"]]>([
    ["that fails", { get: () => Promise.reject(new Error("no")), set: () => Promise.reject(new Error("no")) }],
    ["that holds something else", new Map([["", "x"]])],
    ["whose text is damaged", { get: () => "{", set: () => undefined }],
    ["with kernels that there are no more", { get: () => '{"x":"gone"}', set: () => undefined }],
  ])("a store %s costs a measurement, not the run", async (_, store) => {
    const { asked, measure } = recorder();
    expect((await tuner({ measure, store })({ calls: [large] }))(large).kernel).toBe("small");
    expect(asked).toHaveLength(1);
  });

  test("beside what others kept meanwhile", async () => {
    const store = new Map<string, string>();
    const [one, other] = [tuner({ ...recorder(), store }), tuner({ ...recorder(), store })];
    await one({ calls: [] });
    await other({ calls: [large] });
    await one({ calls: [product(64, 64, 64)] });
    expect(Object.keys(JSON.parse([...store.values()][0] ?? ""))).toHaveLength(2);
  });
});

describe("a folder as a store", () => {
  let folder: string | undefined;
  afterEach(async () => {
    if (folder) await rm(folder, { recursive: true });
    folder = undefined;
  });

  test("keeps all texts in one file, made when it is first needed", async () => {
    folder = await mkdtemp(join(tmpdir(), "divflow-"));
    const own = join(folder, "a", "divflow");
    const files = process.getBuiltinModule("node:fs/promises");
    const store = fileStore(files, own);
    expect(await store.get("a")).toBeUndefined();
    await store.set("a", "1");
    await store.set("b", "2");
    expect([await fileStore(files, own).get("a"), await fileStore(files, own).get("b")]).toEqual(["1", "2"]);
    expect(await readdir(own)).toEqual(["tuning.json"]);
  });

  test.each([
    ["linux", { HOME: "/home/a" }, "/home/a/.cache"],
    ["linux", { HOME: "/home/a", XDG_CACHE_HOME: "/tmp/c" }, "/tmp/c"],
    ["darwin", { HOME: "/Users/a" }, "/Users/a/Library/Caches"],
    ["win32", { LOCALAPPDATA: "C:\\Local", HOME: "x" }, "C:\\Local"],
    ["linux", {}, undefined],
  ])("is in the user's caches on %s %o", (platform, env, expected) => {
    expect(cacheFolder({ platform, env })).toBe(expected);
  });
});

describe("a call by itself", () => {
  const arena = (offset: number, length: number, element?: "f16") => {
    return { region: { kind: "arena" as const, index: 0, ...(element && { element }) }, offset, length };
  };

  test("gaps between operands are left out, alignment to quads and overlaps are not", () => {
    const call = kernelCall(
      "linear",
      { rows: 8, columns: 8, depth: 8 },
      {
        left: arena(6402, 64),
        right: arena(6434, 64),
        out: arena(64_000, 64),
      },
    );
    const { program, sizes } = alone(call);
    const { left, right, out } = program.calls[0]?.bindings ?? {};
    expect(left?.offset).toBe(2);
    expect(right?.offset).toBe(34);
    expect(out?.offset).toBe(100);
    expect([...sizes]).toEqual([["arena 0", 164]]);
  });

  test("halves stay halves, times their power of 2", () => {
    const left = { ...arena(0, 64, "f16"), scale: 8 };
    const call = kernelCall(
      "linear",
      { rows: 8, columns: 8, depth: 8 },
      {
        left,
        right: { region: { kind: "state", name: "w" }, offset: 0, length: 64 },
        out: { region: { kind: "state", name: "o" }, offset: 0, length: 64 },
      },
    );
    expect(alone(call).program.calls[0]?.bindings["left"]).toMatchObject({ region: { element: "f16" }, scale: 8 });
  });
});
