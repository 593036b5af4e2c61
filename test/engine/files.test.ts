// Files of models and trainers: what is refused and by which error, what other programs write, how saving fails.
import { execFileSync } from "node:child_process";
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { replaceFile } from "../../src/cli/replace-file.ts";
import { CheckpointError, ConfigError, ema, LimitError, load, type Model, resume, save } from "../../src/index.ts";
import { readSafetensors } from "../../src/train/read-safetensors.ts";
import { type StoredTensor, type WritableDType, writeSafetensors } from "../../src/train/safetensors.ts";
import { smallOptions, trainSteps, withRuntime } from "./small.ts";

type Tensors = Map<string, StoredTensor<WritableDType>>;
type Facts = Record<string, Record<string, unknown> & unknown>;

let bytes: Uint8Array;
beforeAll(async () => {
  bytes = await withRuntime("reference", async (runtime) => {
    const trainer = await runtime.createTrainer(smallOptions({ ema: ema({ decay: 0.5 }), maximumGradientNorm: 1 }));
    await trainSteps(trainer, 3);
    return trainer.checkpoint();
  });
});

/** The trainer's file, changed. */
function changed({ tensors, facts }: { tensors?: (given: Tensors) => void; facts?: (given: Facts) => void }) {
  const file = readSafetensors(bytes, "file");
  const map = new Map(file.tensors) as Tensors;
  tensors?.(map);
  const metadata = { ...file.metadata };
  if (facts) {
    const parsed = JSON.parse(metadata["divflow"] as string);
    facts(parsed);
    metadata["divflow"] = JSON.stringify(parsed);
  }
  return writeSafetensors({ tensors: map, metadata });
}

const change = (name: string, values: Partial<StoredTensor<WritableDType>>) => (tensors: Tensors) => {
  tensors.set(name, { ...(tensors.get(name) as StoredTensor<WritableDType>), ...values } as never);
};

describe("a file that does not fit is a CheckpointError that names what is wrong", () => {
  test.each<[string, RegExp, () => Uint8Array]>([
    ["a weight missing", /0\.weight/, () => changed({ tensors: (all) => all.delete("0.weight") })],
    [
      "a moment missing",
      /divflow\.adam\.second/,
      () => changed({ tensors: (all) => all.delete("divflow.adam.second") }),
    ],
    ["the average missing", /divflow\.ema/, () => changed({ tensors: (all) => all.delete("divflow.ema") })],
    [
      "a tensor too many",
      /unknown stranger/,
      () => changed({ tensors: (all) => all.set("stranger", { dtype: "F32", shape: [1], data: new Float32Array(1) }) }),
    ],
    [
      "a weight of another shape",
      /0\.weight.*shape/s,
      () => changed({ tensors: change("0.weight", { shape: [9, 2], data: new Float32Array(18) }) }),
    ],
    [
      "a weight of integers",
      /0\.bias.*dtype/s,
      () => changed({ tensors: change("0.bias", { dtype: "I32", data: new Int32Array(6) }) }),
    ],
    [
      "a moment of integers",
      /divflow\.adam\.first.*dtype/s,
      () => changed({ tensors: (all) => change("divflow.adam.first", integersLike(all))(all) }),
    ],
    [
      "a weight that is not finite",
      /0\.bias.*element 2/s,
      () => changed({ tensors: change("0.bias", { data: Float32Array.of(1, 2, Number.NaN, 4, 5, 6) }) }),
    ],
    [
      "weights changed by hand",
      /divflow\.parameters/,
      () => changed({ tensors: change("0.bias", { data: new Float32Array(6) }) }),
    ],
    ["another form", /form/, () => changed({ facts: (all) => Object.assign(all, { form: 2 }) })],
    [
      "an unknown kind of network",
      /kind/,
      () => changed({ facts: (all) => Object.assign(all, { network: { kind: "cube", config: {} } }) }),
    ],
    [
      "an unknown path",
      /path/,
      () => changed({ facts: (all) => Object.assign(all, { path: { name: "u-turn", options: {} } }) }),
    ],
    [
      "an unknown loss",
      /loss/,
      () =>
        changed({
          facts: ({ training }) => Object.assign(training as object, { loss: { name: "none", options: {} } }),
        }),
    ],
    [
      "a rate out of range",
      /beta1/,
      () =>
        changed({
          facts: ({ training }) => Object.assign((training as Facts)["optimizer"]?.["options"] as object, { beta1: 2 }),
        }),
    ],
    [
      "no seed",
      /seed/,
      () => changed({ facts: ({ training }) => delete (training as Record<string, unknown>)["seed"] }),
    ],
    [
      "a batch size of 0",
      /batchSize/,
      () => changed({ facts: ({ training }) => Object.assign(training as object, { batchSize: 0 }) }),
    ],
    ["a step below 0", /step/, () => changed({ facts: (all) => Object.assign(all, { step: -3 }) })],
    ["no vectors", /vectors/, () => changed({ facts: (all) => Object.assign(all, { vectors: null }) })],
    ["half a file", /model file/, () => bytes.slice(0, bytes.length / 2)],
    ["no file", /model file/, () => new Uint8Array()],
    ["text", /model file/, () => new TextEncoder().encode("#!/bin/sh\necho no model at all\n")],
  ])("%s", (_name, message, make) =>
    withRuntime("reference", async (runtime) => {
      const before = await runtime.memory();
      const error = await resume(runtime, make()).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(CheckpointError);
      expect((error as Error).message).toMatch(message);
      await expect(load(runtime, make())).rejects.toThrow(CheckpointError);
      expect(await runtime.memory()).toEqual(before);
    }),
  );

  test("and messages name the file where the caller does", () =>
    withRuntime("reference", async (runtime) => {
      await expect(load(runtime, new Uint8Array(3), { source: "moons.safetensors" })).rejects.toThrow(
        /^moons\.safetens/,
      );
    }));
});

function integersLike(tensors: Tensors): Partial<StoredTensor<WritableDType>> {
  const { data } = tensors.get("divflow.adam.first") as StoredTensor<WritableDType>;
  return { dtype: "I32", data: new Int32Array(data.length) };
}

describe("weights from PyTorch, without divflow's metadata", () => {
  const weights = () => {
    const file = readSafetensors(bytes, "file");
    const tensors = new Map([...file.tensors].filter(([name]) => !name.startsWith("divflow."))) as Tensors;
    return writeSafetensors({ tensors, metadata: { format: "pt" } });
  };

  test("load with their activation, and are the same field", () =>
    withRuntime("reference", async (runtime) => {
      const [one, other] = [await load(runtime, weights(), { activation: "tanh" }), await load(runtime, bytes)];
      const [points, times] = [Float32Array.of(0.5, 1, -1, 2), Float32Array.of(0.25, 0.75)];
      const [a, b] = [await one.velocity(points, times), await other.velocity(points, times, { ema: false })];
      a.forEach((value, i) => {
        expect(Math.abs(value - (b[i] as number))).toBeLessThan(1e-5); // weights were rounded to f32
      });
      expect(one.dimension).toBe(2);
    }));

  /** The weights with other names. */
  const renamed = (nameOf: (name: string) => string, change: (tensors: Tensors) => void = () => {}) => {
    const { tensors } = readSafetensors(weights(), "file");
    const others = new Map([...tensors].map(([name, tensor]) => [nameOf(name), tensor])) as Tensors;
    change(others);
    return writeSafetensors({ tensors: others, metadata: { format: "pt" } });
  };
  const counted = (name: string) => name.replace(/^\d+/, (number) => String(Number(number) / 2));

  test.each<[string, (name: string) => string]>([
    ["net.0.weight, as torchcfm's MLP", (name) => `net.${name}`],
    ["model.0.weight", (name) => `model.${name}`],
    ["module.net.0.weight, of a wrapped module", (name) => `module.net.${name}`],
    ["layers.0.weight, layers.1.weight, of a list without activations", (name) => `layers.${counted(name)}`],
    ["0.weight, 1.weight", counted],
    [
      "0.weight, 3.weight, with something between",
      (name) => name.replace(/^\d+/, (number) => String(Number(number) * 1.5)),
    ],
    ["fc1.weight, fc2.weight", (name) => counted(name).replace(/^\d+/, (number) => `fc${Number(number) + 1}`)],
    [
      "net.8.weight, net.10.weight: in order of the numbers",
      (name) => name.replace(/^\d+/, (number) => `net.${8 + Number(number)}`),
    ],
  ])("load under names such as %s", (_, nameOf) =>
    withRuntime("reference", async (runtime) => {
      const [one, other] = [renamed(nameOf), weights()].map((file) => load(runtime, file, { activation: "tanh" }));
      const [points, times] = [Float32Array.of(0.5, 1, -1, 2), Float32Array.of(0.25, 0.75)];
      expect(await (await one!).velocity(points, times)).toEqual(await (await other!).velocity(points, times));
    }),
  );

  const copy = (from: string, to: string) => (tensors: Tensors) => tensors.set(to, tensors.get(from)!);
  test.each<[string, (name: string) => string, (tensors: Tensors) => void, RegExp]>([
    [
      "two lists",
      (name) => `net.${name}`,
      copy("net.0.weight", "ema.0.weight"),
      /names of the tensors.*net\.\* and ema\.\*/,
    ],
    ["a foreign name", (name) => `net.${name}`, copy("net.0.bias", "norm.gain"), /names of the tensors.*norm\.gain/],
    ["a layer without its bias", (name) => `net.${name}`, (all) => all.delete("net.2.bias"), /"net\.2\.bias".*nothing/],
    [
      "a vector among the weights",
      (name) => `net.${name}`,
      (all) => {
        copy("net.0.bias", "net.1.weight")(all);
        copy("net.0.bias", "net.1.bias")(all);
      },
      /expected \[out, /,
    ],
    ["nothing that looks like a layer", (name) => name.replace(".", "_"), () => {}, /names of the tensors/],
  ])("are refused with a sentence: %s", (_, nameOf, change, message) =>
    withRuntime("reference", async (runtime) => {
      const loading = load(runtime, renamed(nameOf, change), { activation: "tanh" });
      await expect(loading).rejects.toThrow(CheckpointError);
      await expect(load(runtime, renamed(nameOf, change), { activation: "tanh" })).rejects.toThrow(message);
    }),
  );

  test("need the activation, since weights do not tell", () =>
    withRuntime("reference", async (runtime) => {
      await expect(load(runtime, weights())).rejects.toThrow(ConfigError);
      await expect(load(runtime, weights(), { activation: "step" })).rejects.toThrow(ConfigError);
      await expect(resume(runtime, weights())).rejects.toThrow(ConfigError);
    }));
});

describe("save", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "divflow-save-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("writes what checkpoint gives, and replaces what was there", () =>
    withRuntime("reference", async (runtime) => {
      const file = join(folder, "model.safetensors");
      await writeFile(file, "old");
      const trainer = await resume(runtime, bytes);
      await save(trainer, file);
      expect(new Uint8Array(await readFile(file))).toEqual(bytes);
      await save(trainer.model, file);
      expect((await load(runtime, await readFile(file))).step).toBe(3);
      expect(await readdir(folder)).toEqual(["model.safetensors"]);
    }));

  test("that fails leaves the old file and nothing else", () =>
    withRuntime("reference", async (runtime) => {
      const trainer = await resume(runtime, bytes);
      const file = join(folder, "kept.safetensors");
      await writeFile(file, "old");
      trainer.dispose();
      await expect(save(trainer, file)).rejects.toThrow("the trainer");
      expect(await readFile(file, "utf8")).toBe("old");
      // A folder cannot be replaced by a file.
      await rm(file);
      await expect(save(await resume(runtime, bytes), folder)).rejects.toThrow();
      expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
      expect((await readdir(tmpdir())).filter((name) => name.startsWith(`${folder.split("/").at(-1)}.`))).toEqual([]);
    }));
});

/** Both ways to write a file; `save` asks what it is given for nothing but bytes. */
describe.each<[string, (path: string, text: string) => Promise<void>]>([
  ["save", (path, text) => save({ checkpoint: async () => new TextEncoder().encode(text) } as Model, path)],
  ["the command", replaceFile],
])("%s writes", (_, write) => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "divflow-write-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test("through links, which stay: one after the other, into another folder, to what is not there yet", async () => {
    await mkdir(join(folder, "far", "off"), { recursive: true });
    await symlink("far/off", join(folder, "way"));
    await symlink("way/../first", join(folder, "link")); // far/first: ".." is that of where the way leads
    await symlink("real", join(folder, "far", "first"));
    for (const text of ["new", "newer"]) {
      await write(join(folder, "link"), text);
      expect(await readFile(join(folder, "far", "real"), "utf8")).toBe(text);
    }
    expect(await readlink(join(folder, "link"))).toBe("way/../first");
    expect(await readlink(join(folder, "far", "first"))).toBe("real");
    expect(await readdir(folder)).toEqual(["far", "link", "way"]);
    expect(await readdir(join(folder, "far"))).toEqual(["first", "off", "real"]);
  });

  test("over a file, whose mode stays, whatever the umask; new ones have the usual one", async () => {
    const [path, usual] = [join(folder, "file"), join(folder, "usual")];
    await writeFile(usual, "");
    await write(path, "old");
    expect((await stat(path)).mode).toBe((await stat(usual)).mode);
    for (const mode of [0o600, 0o666, 0o400]) {
      await chmod(path, mode);
      await write(path, `${mode}`);
      expect((await stat(path)).mode & 0o7777).toBe(mode);
      expect(await readFile(path, "utf8")).toBe(`${mode}`);
    }
  });

  test.skipIf(process.platform === "win32")("into a pipe, which stays one, also behind a link", async () => {
    const [pipe, link] = [join(folder, "pipe"), join(folder, "link")];
    execFileSync("mkfifo", [pipe]);
    await symlink("pipe", link);
    for (const path of [pipe, link]) {
      const [text] = await Promise.all([readFile(pipe, "utf8"), write(path, path)]);
      expect(text).toBe(path);
    }
    expect((await lstat(pipe)).isFIFO()).toBe(true);
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await readdir(folder)).toEqual(["link", "pipe"]);
  });

  test("under a name as long as names may be", async () => {
    const path = join(folder, "n".repeat(255));
    await write(path, "long");
    expect(await readFile(path, "utf8")).toBe("long");
  });

  test("bytes and then names onto the disk", async () => {
    const path = join(folder, "file");
    await writeFile(path, "old");
    const handle = await open(folder);
    const prototype = Object.getPrototypeOf(handle);
    await handle.close();
    const atSyncs: string[] = [];
    const sync = vi.spyOn(prototype, "sync").mockImplementation(async () => {
      atSyncs.push(await readFile(path, "utf8"));
    });
    await write(path, "new");
    sync.mockRestore();
    expect(atSyncs).toEqual(["old", "new"]);
  });
});

describe("where save cannot write, it says so of the path that it was given, and leaves nothing", () => {
  const saved = { checkpoint: async () => new Uint8Array(4) } as unknown as Model;
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "divflow-refused-"));
    await writeFile(join(folder, "file"), "kept");
    await symlink("loop", join(folder, "loop"));
  });
  afterEach(async () => {
    expect(await readdir(folder)).toEqual(["file", "loop"]);
    expect(await readFile(join(folder, "file"), "utf8")).toBe("kept");
    await rm(folder, { recursive: true });
  });

  test.each([
    ["missing/model.safetensors", "a folder that does not exist", "ENOENT"],
    [".", "a directory", "EISDIR"],
    ["file/model.safetensors", "a path through a file", "ENOTDIR"],
    ["loop", "ELOOP", "ELOOP"],
    ["n".repeat(256), "ENAMETOOLONG", "ENAMETOOLONG"],
  ])("%s: %s", async (name, given, code) => {
    const path = join(folder, name);
    const error: ConfigError = await save(saved, path).catch((caught) => caught);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.facts).toMatchObject({ subject: `path of save, ${path}`, given, expected: "a file to write" });
    expect(error.message).not.toContain(".tmp");
    expect(error.cause).toMatchObject({ code });
  });

  test("a full disk", async () => {
    const handle = await open(join(folder, "file"));
    const prototype = Object.getPrototypeOf(handle);
    await handle.close();
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    const writing = vi.spyOn(prototype, "writeFile").mockRejectedValue(full);
    const error: LimitError = await save(saved, join(folder, "file")).catch((caught) => caught);
    writing.mockRestore();
    expect(error).toBeInstanceOf(LimitError);
    expect(error.facts).toMatchObject({ subject: `path of save, ${join(folder, "file")}`, given: "the disk is full" });
    expect(error.cause).toBe(full);
  });
});
