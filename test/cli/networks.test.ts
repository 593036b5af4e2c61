// Networks on the command line: trained on points of a shape, by kind or options; files of weights alone, with what shapes do
// not tell.
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { exitCodeOf } from "../../src/cli/output.ts";
import { run } from "../../src/cli/program.ts";
import { readNpy, writeNpy } from "../../src/data.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "divflow-networks-"));
  const values = Float64Array.from({ length: 12 * 8 * 2 }, (_, i) => Math.sin(i));
  await writeFile(join(folder, "waves.npy"), writeNpy(values, [12, 8, 2]));
});
afterAll(() => rm(folder, { recursive: true }));

const options = {
  ...{ kind: "unet1d", channels: [8, 16], blocks: [1, 1], edgeChannels: 8, frequencies: 4, embeddingHidden: 8 },
};
const short = ["--steps", "2", "--batch", "4", "--backend", "wasm", "--threads", "1", "--loss", "cfm", "--force"];

async function quietly(parameters: readonly string[]): Promise<unknown> {
  const streams = [process.stdout, process.stderr].map((each) => vi.spyOn(each, "write").mockReturnValue(true));
  try {
    return await run(parameters);
  } finally {
    for (const each of streams) each.mockRestore();
  }
}

test.each(["as JSON", "as a file"])("options %s: samples have the data's shape", { timeout: 120_000 }, async (how) => {
  const [data, out] = [join(folder, "waves.npy"), join(folder, `run ${how}`)];
  const file = join(folder, "network.json");
  await writeFile(file, JSON.stringify(options));
  const network = how === "as JSON" ? JSON.stringify(options) : file;
  expect(await quietly(["train", data, "--network", network, "--out", out, "--validation", "none", ...short])).toBe(0);
  const config = JSON.parse(await readFile(join(out, "config.json"), "utf8"));
  expect(config.network.kind).toBe("unet1d");
  expect(config.network.config).toMatchObject({ sample: [8, 2], channels: [8, 16], edgeChannels: 8 });
  const samples = join(folder, "samples.npy");
  const model = join(out, "model.safetensors");
  const solver = ["--count", "3", "--solver", "euler", "--steps", "2", "--backend", "wasm"];
  expect(await quietly(["sample", model, "--out", samples, "--force", ...solver])).toBe(0);
  expect(readNpy(await readFile(samples)).shape).toEqual([3, 8, 2]);
});

test("a file of weights alone is sampled with what its shapes do not tell", { timeout: 120_000 }, async () => {
  const model = join(folder, "torch.safetensors");
  await copyFile(fileURLToPath(new URL("../networks/cnn-classes.safetensors", import.meta.url)), model);
  const samples = join(folder, "letters.npy");
  const parameters = ["sample", model, "--count", "2", "--solver", "euler", "--steps", "2", "--backend", "wasm"];
  const told = ["--condition", "label=1", "--out", samples];
  expect(await quietly([...parameters, ...told, "--config", '{"sample": [14, 4]}'])).toBe(0);
  expect(readNpy(await readFile(samples)).shape).toEqual([2, 14, 4]);
  await expectRefused([...parameters, ...told, "--force"], "sample [length, letters]");
});

test.each<[string, readonly string[], string]>([
  ["an unknown kind", ["--network", "unet3d"], `--network: got "unet3d"`],
  ["no JSON", ["--network", "{kind: mlp}"], "expected a JSON object of options"],
  ["no kind", ["--network", '{"width": 3}'], "kind in --network"],
  ["an option that the network has not", ["--network", '{"kind": "mlp", "widht": 3}'], "options of mlp"],
  ["sizes beside it", ["--network", "unet1d", "--width", "8"], `--width 8: got "beside --network unet1d"`],
  ["it beside a model begun at", ["--network", "mlp", "--from", "waves.npy"], `--network: got "beside --from"`],
  ["a file that is not there", ["--network", "none.json"], "none.json"],
])("%s is refused", async (_what, more, message) => {
  await expectRefused(["train", join(folder, "waves.npy"), "--out", join(folder, "none"), ...more, ...short], message);
});

async function expectRefused(parameters: readonly string[], message: string): Promise<void> {
  const error = await quietly(parameters).then(
    (code) => new Error(`ended with ${code}`),
    (caught: Error) => caught,
  );
  expect(error.message).toContain(message);
  expect(exitCodeOf(error)).toBe(2);
}
