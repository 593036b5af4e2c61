/** The examples, on the built package as their readers have it: each runs, and what it prints shows that it learns. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../../.build/bundle.mjs";
import { cache, root } from "../../.build/files.mjs";
import { launchBrowser } from "../../.build/platforms/browser.mjs";
import { serve } from "../../.build/platforms/server.mjs";
import { skippedRuntimes } from "../../.build/runtimes.mjs";
import { readNpy } from "../../src/index.ts";

const skipped = skippedRuntimes();
const folder = join(cache, `examples-${randomUUID()}`);
/** log(8 / 0.45^2): no model of the checkerboard has fewer nats, but for the chance in 2000 points. */
const entropy = 3.6765;

beforeAll(async () => {
  await mkdir(join(folder, "examples"), { recursive: true });
  await bundle(relative(root, join(folder, "dist")));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/**
 * Mulberry32 in Math.random's place, put before an example: what examples draw for themselves, their readers draw anew
 * each time; a check of few steps on other data each time would fail by chance.
 */
const seeded = `let drawn = 7;
Math.random = () => {
  drawn = (drawn + 0x6d2b79f5) | 0;
  let bits = Math.imul(drawn ^ (drawn >>> 15), drawn | 1);
  bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
  return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
};
`;

/** An example's text, with the fewest steps that show something. */
async function shortened(name: string, ...changes: readonly (readonly [string, string])[]): Promise<string> {
  const text = await readFile(join(root, "examples", name), "utf8");
  return changes.reduce((before, [long, short]) => {
    expect(before.split(long)).toHaveLength(2);
    return before.replace(long, short);
  }, text);
}

function natsIn(words: string): number[] {
  return [...words.matchAll(/step \d+: ([\d.]+)/gi)].map(([, nats]) => Number(nats));
}

describe.skipIf(skipped.includes("node-wasm"))("in Node", () => {
  async function run(name: string, text: string): Promise<string> {
    const file = join(folder, "examples", name);
    await writeFile(
      file,
      seeded + text.replace(/"divflow(?:\/(\w+))?"/g, (_, entry = "index") => `"../dist/${entry}.js"`),
    );
    const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder, timeout: 120_000 });
    return stdout;
  }

  test("train.mjs nears the best there can be, samples and saves", { timeout: 150_000 }, async () => {
    const output = await run("train.mjs", await shortened("train.mjs", ["steps = 8000", "steps = 240"]));
    const nats = natsIn(output);
    expect(nats).toHaveLength(8);
    expect(output).toContain(`at best ${entropy.toFixed(3)}`);
    expect(nats[7]).toBeLessThan(nats[0] - 0.2);
    expect(nats[7]).toBeLessThan(4.4);
    expect(nats[7]).toBeGreaterThan(entropy - 0.05);
    expect((await readFile(join(folder, "checkerboard.safetensors"))).length).toBeGreaterThan(40_000);
  });

  test("own-points.mjs knows the ring from its middle", { timeout: 150_000 }, async () => {
    const output = await run("own-points.mjs", await shortened("own-points.mjs", ["steps: 1000", "steps: 400"]));
    const nats = natsIn(output);
    expect(nats[1]).toBeLessThan(nats[0]);
    const [, onRing, inMiddle] = /on the ring (\S+), in its empty middle (\S+)/.exec(output) ?? [];
    expect(Number(onRing) - Number(inMiddle)).toBeGreaterThan(1);
  });

  test("bridge.mjs: paired starts need fewer steps, and a bridge arrives", { timeout: 150_000 }, async () => {
    const output = await run("bridge.mjs", await shortened("bridge.mjs", ["steps = 3000", "steps = 250"]));
    const found = [...output.matchAll(/distance ([\d.]+)/g)].map(([, distance]) => Number(distance));
    expect(found).toHaveLength(3);
    expect(found[1]).toBeLessThan(0.75 * found[0]);
    expect(output).toMatch(/bridge: distance [\d.]+ by the flow, [\d.]+ by the diffusion/);
  });

  test("classes.mjs samples each kind where the file has it", { timeout: 150_000 }, async () => {
    const output = await run("classes.mjs", await shortened("classes.mjs", ["steps: 1500", "steps: 600"]));
    for (const [kind, flipper, weight] of [
      ["adelie", 200, 4000],
      ["chinstrap", 206, 4030],
      ["gentoo", 227, 5380],
    ] as const) {
      const [, mm, g] = new RegExp(`${kind} of 5 years: flipper (\\d+) mm, weight (\\d+) g`).exec(output) ?? [];
      expect(Math.abs(Number(mm) - flipper)).toBeLessThan(3); // of deviations of 5 mm and 250 g
      expect(Math.abs(Number(g) - weight)).toBeLessThan(150);
    }
  });

  test("own-parts.mjs trains what a user wrote, and samples it from its file", { timeout: 150_000 }, async () => {
    const text = await readFile(join(root, "examples", "own-parts.mjs"), "utf8");
    expect((await readFile(join(root, "docs", "networks.md"), "utf8")).split(`\`\`\`js\n${text}\`\`\``)).toHaveLength(
      2,
    );
    const output = await run("own-parts.mjs", text);
    const [, radius] = /samples lie (\S+) from the middle/.exec(output) ?? [];
    expect(Math.abs(Number(radius) - 2)).toBeLessThan(0.15);
  });

  test("guidance.mjs samples what the model was not trained for", { timeout: 150_000 }, async () => {
    const text = await readFile(join(root, "examples", "guidance.mjs"), "utf8");
    expect((await readFile(join(root, "docs", "guidance.md"), "utf8")).split(`\`\`\`js\n${text}\`\`\``)).toHaveLength(
      2,
    );
    const output = await run("guidance.mjs", text);
    const [, inside, else_] = /below the diagonal: (\d+) % of samples, (\d+) % else/.exec(output) ?? [];
    expect(Number(inside)).toBeGreaterThan(92);
    expect(Math.abs(Number(else_) - 50)).toBeLessThan(8);
    const [, mean] = /by the weight: mean x (\S+)/.exec(output) ?? [];
    expect(Number(mean)).toBeGreaterThan(1.3);
    expect(Number(mean)).toBeLessThan(2);
    const [, near] = /x within 1 of 0 in (\d+) % of samples/.exec(output) ?? [];
    expect(Number(near)).toBeGreaterThan(65); // of samples that nothing is known of: 42
  });

  test("letters.mjs learns the shares of letters of each class", { timeout: 150_000 }, async () => {
    const text = await shortened(
      "letters.mjs",
      ["[4, 40, 3, 4]", "[2, 6, 2, 4]"],
      ["steps = 2000", "steps = 250"],
      ["count = 20_000", "count = 1000"],
      ["channels: 32, dilations: [1, 1]", "channels: 16, dilations: [1]"],
      ["learningRate: 4e-3", "learningRate: 1e-2"],
      ["batchSize: 256", "batchSize: 128"],
    );
    const output = await run("letters.mjs", text);
    const found = [...output.matchAll(/class \d: KL by place (\S+), (\S+)\n/g)].flatMap(([, ...each]) =>
      each.map(Number),
    );
    expect(found).toHaveLength(8); // two losses, two classes, two places
    expect(Math.max(...found)).toBeLessThan(0.2);
    expect(Number(/of even letters (\S+)/.exec(output)?.[1])).toBeGreaterThan(0.25);
  });

  test("few-steps.mjs samples in few steps, with log-densities near those of its own flow", {
    timeout: 150_000,
  }, async () => {
    const text = await readFile(join(root, "examples", "few-steps.mjs"), "utf8");
    expect((await readFile(join(root, "docs", "flow-maps.md"), "utf8")).split(`\`\`\`js\n${text}\`\`\``)).toHaveLength(
      2,
    );
    const output = await run("few-steps.mjs", await shortened("few-steps.mjs", ["steps = 4000", "steps = 1000"]));
    const off = [...output.matchAll(/(\d) steps: head off by (\S+), exact by (\S+), flow by (\S+) nats/g)];
    expect(off.map(([, steps]) => Number(steps))).toEqual([1, 2, 4]);
    for (const [, , head, exact, flow] of off) {
      for (const nats of [head, exact]) expect(Math.abs(Number(nats) - Number(flow))).toBeLessThan(0.15);
    }
  });

  test("digits.mjs trains a U-Net, and draws a row of each class", { timeout: 150_000 }, async () => {
    const text = await shortened(
      "digits.mjs",
      ["steps = 3000", "steps = 20"],
      ["batchSize: 64", "batchSize: 8"],
      ["channels: 16", "channels: 8"],
      ["each = 10", "each = 2"],
      ["heun({ steps: 20 })", "heun({ steps: 2 })"],
    );
    const output = await run("digits.mjs", text);
    const losses = natsIn(output.replaceAll("velocity loss ", ""));
    expect(losses).toHaveLength(20);
    expect(losses.slice(-5).reduce((a, b) => a + b)).toBeLessThan(losses.slice(0, 5).reduce((a, b) => a + b) - 0.5);
    expect(output).toContain("samples of shape 20 x 28 x 28 x 1");
    const bytes = await readFile(join(folder, "digits.bmp"));
    expect(bytes.subarray(0, 2).toString("latin1")).toBe("BM");
    expect([bytes.readUInt32LE(18), bytes.readUInt32LE(22)]).toEqual([56, 280]);
    expect(new Set(bytes.subarray(1078)).size).toBeGreaterThan(100); // noise still, of all greys
  });

  test("posterior.mjs finds the spring, within bounds that hold", { timeout: 150_000 }, async () => {
    const text = await shortened(
      "posterior.mjs",
      ["simulations: 5000", "simulations: 1500"],
      ["steps: 3000", "steps: 800"],
      ["simulations: 200, draws: 50", "simulations: 60, draws: 20"],
    );
    const output = await run("posterior.mjs", text);
    const [, median, lower, upper] = /stiffness: (\S+), between (\S+) and (\S+) with/.exec(output) ?? [];
    expect(Math.abs(Number(median) - 4)).toBeLessThan(1); // of a prior from 1 to 16
    expect(Number(lower)).toBeLessThan(4.2);
    expect(Number(upper)).toBeGreaterThan(3.8);
    expect(Math.abs(Number(/another swing: stiffness (\S+), true 9/.exec(output)?.[1]) - 9)).toBeLessThan(1.5);
    expect(Number(/intervals hold (\d+) %/.exec(output)?.[1])).toBeGreaterThan(75);
    expect(output).toContain("from its file: stiffness, friction");
  });

  test("lorenz.mjs trains on trajectories, and holds samples to the system", { timeout: 150_000 }, async () => {
    const text = await shortened(
      "lorenz.mjs",
      ["count = 2000", "count = 100"],
      ["steps = 3000", "steps = 60"],
      ["batchSize: 128", "batchSize: 16"],
      ["count: 200", "count: 10"],
      ["heun({ steps: 50 })", "heun({ steps: 5 })"],
    );
    const output = await run("lorenz.mjs", text);
    const losses = natsIn(output.replaceAll("velocity loss ", ""));
    expect(losses).toHaveLength(20);
    expect(losses.slice(-5).reduce((a, b) => a + b)).toBeLessThan(losses.slice(0, 5).reduce((a, b) => a + b) - 0.5);
    const [, samples, data] = /miss the system by (\S+), data by (\S+)/.exec(output) ?? [];
    expect(Number(data)).toBe(0); // as written, to three digits: what it simulates is what it checks by
    expect(Number(samples)).toBeGreaterThan(0.05);
    const { shape, data: values } = readNpy(new Uint8Array(await readFile(join(folder, "lorenz.npy"))));
    expect(shape).toEqual([10, 60, 3]);
    expect(Math.max(...values)).toBeGreaterThan(0.5); // in the data's units: states / 20
  });
});

test.skipIf(skipped.includes("chromium"))(
  "page.html says how near it is, and draws",
  { timeout: 150_000 },
  async () => {
    const page = await shortened("page.html", ["steps: 2000, progressEvery: 200", "steps: 100, progressEvery: 50"]);
    const server = await serve(async (path) => {
      if (path === "/examples/page.html") return page;
      return readFile(join(folder, path)).catch(() => undefined);
    });
    const browser = await launchBrowser();
    try {
      const tab = await browser.newPage();
      const complaints: string[] = [];
      tab.on("pageerror", (error) => complaints.push(String(error)));
      await tab.goto(`${server.url}examples/page.html`);
      await tab.waitForFunction("document.body.dataset.done === 'yes'", { timeout: 120_000 });
      const words = await tab.$eval("#status", (element) => element.textContent ?? "");
      const [nats] = natsIn(words.replace(" of 2000", ""));
      expect(nats).toBeGreaterThan(entropy - 0.1);
      expect(nats).toBeLessThan(5.5);
      expect(await tab.$eval("#reason", (element) => element.textContent)).toMatch(/^WebAssembly|^WebGPU/);
      const drawn = `document.querySelector("canvas").getContext("2d").getImageData(0, 0, 512, 512).data.some(Boolean)`;
      expect(await tab.evaluate(drawn)).toBe(true);
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
      await server.close();
    }
  },
);
