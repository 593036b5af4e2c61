// Run folders: who may write there, what is found out before training, what signals and full disks leave.
import { existsSync, statSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { factsIn } from "../../src/cli/model-facts.ts";
import { ownMark, shortMark } from "../../src/cli/processes.ts";
import { removeLeftovers } from "../../src/cli/replace-file.ts";
import { type RunOptions, tiny, useCli } from "./run.ts";

const cli = useCli();

const small = [...tiny, "--threads", "1", "--preset", "paper"];
/** Trains until it is ended. */
const endless = (out: string) => ["train", "moons", ...small, "--steps", "100000000", "--out", out];

/** Sends signals once, when what is said fits. */
function once(words: RegExp, send: (child: Parameters<NonNullable<RunOptions["watch"]>>[1]) => void): RunOptions {
  let isSent = false;
  return {
    watch: (errors, child) => {
      if (isSent || !words.test(errors)) return;
      isSent = true;
      send(child);
    },
  };
}

/** Once there are steps of a run in this folder. */
const soon = (signal: NodeJS.Signals, out: string) =>
  once(/asked\.\n/, (child) => {
    const poll = setInterval(() => {
      const found = statSync(cli.path(out, "metrics.jsonl"), { throwIfNoEntry: false });
      if (child.exitCode === null && !found?.size) return;
      clearInterval(poll);
      setTimeout(() => child.kill(signal), 700); // beyond the first save
    }, 50);
  });

/** Options for a process that does something else first. */
const patched = (script: string) => ["--import", `data:text/javascript,${encodeURIComponent(script)}`];

async function stepsIn(out: string): Promise<{ model: unknown; metrics: number[] }> {
  const model = factsIn(await readFile(cli.path(out, "model.safetensors")))?.["step"];
  const lines = (await readFile(cli.path(out, "metrics.jsonl"), "utf8")).split("\n").slice(0, -1);
  return { model, metrics: lines.map((line) => JSON.parse(line).step) };
}

const upTo = (step: number) => Array.from({ length: step }, (_, i) => i + 1);

describe("signals", () => {
  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s saves: model, metrics and what is printed agree",
    async (signal) => {
      const { code, output, errors } = await cli.run([...endless(signal), "--json"], soon(signal, signal));
      expect(code, errors).toBe(130);
      const { step, interrupted } = JSON.parse(output);
      expect(interrupted).toBe(true);
      expect(step).toBeGreaterThan(0);
      const found = await stepsIn(signal);
      expect(found.model).toBe(step);
      expect(found.metrics).toEqual(upTo(step));
      expect((await readdir(cli.path(signal))).sort()).toEqual(["config.json", "metrics.jsonl", "model.safetensors"]);
    },
  );

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s ends a comparison, which says how to go on",
    async (signal) => {
      const out = `compared-${signal}`;
      const { code, output, errors } = await cli.run(["compare", ...endless(out).slice(1)], soon(signal, `${out}/cfm`));
      expect({ code, output }).toEqual({ code: 130, output: "" });
      expect(errors).toMatch(/Interrupted at step \d+ of cfm\. divflow train moons --resume /);
      const { model, metrics } = await stepsIn(`${out}/cfm`);
      expect(metrics).toEqual(upTo(Number(model)));
      expect(await readdir(cli.path(out))).toEqual(["cfm"]);
    },
  );

  test("SIGHUP ends evaluate and bench, which leave nothing", async () => {
    await cli.run(["train", "moons", ...small, "--steps", "5", "--out", "judged"]);
    const rows = Array.from({ length: 20_000 }, (_, i) => `${i % 7},${i % 3}`);
    await writeFile(cli.path("many.csv"), rows.join("\n"));
    const judge = [
      "evaluate",
      "judged/model.safetensors",
      "--data",
      "many.csv",
      "--backend",
      "wasm",
      "--out",
      "each.csv",
    ];
    const evaluated = await cli.run(
      [...judge, "--solver", "rk4", "--steps", "100000"],
      once(/asked\.\n/, (child) => void setTimeout(() => child.kill("SIGHUP"), 3000)),
    );
    expect(evaluated).toMatchObject({
      code: 130,
      output: "",
      errors: expect.stringMatching(/stopped before the end\.\n$/),
    });
    expect(await readdir(cli.folder)).not.toContain("each.csv");
    const bench = ["bench", "--only", "cfm", "--width", "64", "--backend", "wasm", "--threads", "1", "--seconds", "60"];
    const { code, output } = await cli.run(
      bench,
      once(/./, (child) => void child.kill("SIGHUP")),
    );
    expect({ code, output }).toEqual({ code: 130, output: "" });
  });

  // The file's last write is held up; meanwhile there is a second Ctrl-C.
  const slow = `import fs from "node:fs/promises"; import { syncBuiltinESMExports } from "node:module";
    const { rename } = fs; let stopping = false; process.once("SIGINT", () => { stopping = true; });
    fs.rename = async (from, to) => {
      if (stopping && to.endsWith("model.safetensors")) {
        await new Promise((resolve) => setTimeout(resolve, 400));
        process.stderr.write("saving\\n");
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
      return rename(from, to);
    };
    syncBuiltinESMExports();`;

  test("a second Ctrl-C within a save waits for it", async () => {
    const first = soon("SIGINT", "twice");
    const second = once(/saving\n/, (child) => void child.kill("SIGINT"));
    const { code, output, errors } = await cli.run([...endless("twice"), "--json"], {
      node: patched(slow),
      watch: (said, child) => {
        first.watch?.(said, child);
        second.watch?.(said, child);
      },
    });
    expect(errors).toMatch(/Writing twice\/model\.safetensors: ends when that is done\.\n/);
    expect(code).toBe(130);
    const { step } = JSON.parse(output);
    const { model, metrics } = await stepsIn("twice");
    expect(model).toBe(step);
    expect(metrics).toEqual(upTo(step));
  });

  // Training does not stop: its abort is not heard.
  const deaf = `const { abort } = AbortController.prototype;
    AbortController.prototype.abort = function (reason) { setTimeout(() => abort.call(this, reason), 60_000); };`;

  test("a second Ctrl-C before the save ends at once, and says what is kept", async () => {
    const first = soon("SIGINT", "impatient");
    const second = once(/once more/, (child) => void setTimeout(() => child.kill("SIGINT"), 600));
    const { code, errors } = await cli.run(endless("impatient"), {
      node: patched(deaf),
      watch: (said, child) => {
        first.watch?.(said, child);
        second.watch?.(said, child);
      },
    });
    expect(code).toBe(130);
    const { model, metrics } = await stepsIn("impatient");
    expect(errors.endsWith(`Not saved: impatient/model.safetensors holds step ${model}.\n`)).toBe(true);
    expect(metrics).toEqual(upTo(metrics.length)); // past the model's: cut off when it goes on
    expect(metrics.length).toBeGreaterThanOrEqual(Number(model));
    expect((await readdir(cli.path("impatient"))).sort()).toEqual([
      "config.json",
      "metrics.jsonl",
      "model.safetensors",
    ]);
  });

  test("kill -9 at any time leaves a run that goes on to the same bits", async () => {
    const { code } = await cli.run(endless("killed"), soon("SIGKILL", "killed"));
    expect(code).toBe(null);
    expect(await readdir(cli.path("killed"))).toContain(".divflow.lock");
    await writeFile(cli.path("killed", ".model.safetensors.0123456789ab.tmp"), "half");
    const { model } = await stepsIn("killed");
    const steps = String(Number(model) + 500);
    const resume = ["train", "moons", "--backend", "wasm", "--resume", "killed/model.safetensors", "--out", "killed"];
    const resumed = await cli.run([...resume, "--steps", steps]);
    expect(resumed.code, resumed.errors).toBe(0);
    expect((await readdir(cli.path("killed"))).sort()).toEqual(["config.json", "metrics.jsonl", "model.safetensors"]);
    await cli.run(["train", "moons", ...small, "--steps", steps, "--out", "straight"]);
    for (const name of ["model.safetensors", "metrics.jsonl"]) {
      const [one, other] = [await readFile(cli.path("killed", name)), await readFile(cli.path("straight", name))];
      expect(one.equals(other), name).toBe(true);
    }
  });
});

describe("a folder", () => {
  test("in which another process writes is refused", async () => {
    let second: Promise<{ code: number | null; errors: string }> | undefined;
    const { code } = await cli.run(endless("held"), {
      ...once(/asked\.\n/, (child) => {
        setTimeout(() => {
          second = cli.run([...endless("held"), "--force"]);
          second.finally(() => child.kill("SIGTERM"));
        }, 1000);
      }),
    });
    expect(code).toBe(130);
    const refused = await second;
    expect(refused?.errors).toMatch(/--out held: got "a folder that process \d+ on .* is writing to"/);
    expect(refused?.code).toBe(2);
  });

  test.each([
    ["model.safetensors", "train"],
    ["config.json", "train"],
    ["metrics.jsonl", "train"],
    [".divflow.lock", "train"],
    ["report.html", "compare"],
    ["fdm/samples.npy", "compare"],
  ])("with a folder named %s is refused before training", async (name, command) => {
    const out = name.replaceAll(/\W/g, "-");
    await mkdir(cli.path(out, name), { recursive: true });
    const { code, output, errors } = await cli.run([command, "moons", ...small, "--steps", "5", "--out", out]);
    expect(errors).toMatch(/--out [^\n]*a folder named [^\n]*\n$/);
    expect({ code, output }).toEqual({ code: 2, output: "" });
    expect(await readdir(cli.path(out))).toEqual([name.split("/")[0]]);
  });

  test("that cannot be used leaves none behind", async () => {
    const wrong = ["train", "moons", ...small, "--steps", "5", "--storage", "f16", "--out", "made/for/nothing"];
    expect((await cli.run(wrong)).code).toBe(2);
    expect(existsSync(cli.path("made"))).toBe(false);
  });

  test("of another run than the file that goes on is refused, unless --force", async () => {
    for (const seed of ["1", "2"]) {
      await cli.run(["train", "moons", ...small, "--steps", "5", "--seed", seed, "--out", `seed-${seed}`]);
    }
    await cp(cli.path("seed-2", "model.safetensors"), cli.path("seed-1", "other.safetensors"));
    const before = await readFile(cli.path("seed-1", "metrics.jsonl"));
    const resume = ["train", "moons", "--backend", "wasm", "--steps", "8", "--resume", "seed-1/other.safetensors"];
    const { code, errors } = await cli.run([...resume, "--out", "seed-1"]);
    expect(errors).toMatch(
      /--resume seed-1\/other\.safetensors: got "a file of another run than its folder's, whose seed is not 1"/,
    );
    expect(code).toBe(2);
    expect(await readFile(cli.path("seed-1", "metrics.jsonl"))).toEqual(before);
    expect((await cli.run([...resume, "--out", "seed-1", "--force"])).code).toBe(0);
    expect((await stepsIn("seed-1")).metrics).toEqual([6, 7, 8]);
  });

  test("elsewhere gets the metrics of the run that goes on there", async () => {
    await cli.run(["train", "moons", ...small, "--steps", "5", "--out", "here"]);
    const resume = ["train", "moons", "--backend", "wasm", "--steps", "8", "--resume", "here/model.safetensors"];
    expect((await cli.run([...resume, "--out", "there"])).code).toBe(0);
    expect((await stepsIn("there")).metrics).toEqual(upTo(8));
    expect((await stepsIn("here")).metrics).toEqual(upTo(5));
  });
});

describe("a full disk", () => {
  const full = `import fs from "node:fs/promises"; import { existsSync, statSync } from "node:fs";
    import { syncBuiltinESMExports } from "node:module"; const { writeFile } = fs;
    fs.writeFile = async (...given) => {
      if (existsSync("room")) return writeFile(...given);
      throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    };
    syncBuiltinESMExports();`;

  test("to the end is said once of each file, and what is kept", async () => {
    const node = patched(full);
    const { code, output, errors } = await cli.run(endless("never"), {
      ...once(/metrics\.jsonl: the disk is full/, (child) => void setTimeout(() => child.kill("SIGINT"), 1000)),
      node,
    });
    expect({ code, output }).toEqual({ code: 1, output: "" });
    expect(errors.match(/never\/model\.safetensors: the disk is full/g)).toHaveLength(2);
    expect(errors).toMatch(/\ndivflow: never\/config\.json: the disk is full; [^\n]*; no model is saved\.\n$/);
    expect(await readdir(cli.path("never"))).toEqual([]);
  });

  test("ends no training, and the save after it has all", async () => {
    const freed = once(/disk is full/, () => void writeFile(cli.path("room"), ""));
    const ended = soon("SIGINT", "full");
    const { code, output, errors } = await cli.run([...endless("full"), "--json"], {
      node: patched(full),
      watch: (said, child) => {
        freed.watch?.(said, child);
        ended.watch?.(said, child);
      },
    });
    expect(errors).toMatch(/full\/model\.safetensors: the disk is full.*Training goes on/);
    expect(code).toBe(130);
    const { step } = JSON.parse(output);
    const { model, metrics } = await stepsIn("full");
    expect(model).toBe(step);
    expect(metrics).toEqual(upTo(step));
    expect(JSON.parse(await readFile(cli.path("full", "config.json"), "utf8"))).toMatchObject({ data: "moons" });
  });
});

test("temporary files of processes that are gone are removed, others stay", async () => {
  await mkdir(cli.path("left"));
  const own = ownMark();
  const names = {
    own: shortMark(own),
    ended: shortMark({ ...own, pid: 2 ** 22 + 1 }),
    replaced: shortMark({ ...own, start: "earlier" }),
    elsewhere: shortMark({ ...own, host: "elsewhere" }),
    longAgo: shortMark({ ...own, host: "long ago" }),
  };
  const fileOf = (mark: string) => `.samples.npy.${mark}.0123456789ab.tmp`;
  for (const mark of Object.values(names)) await writeFile(cli.path("left", fileOf(mark)), "half");
  await writeFile(cli.path("left", ".samples.npy.notes.tmp"), "a user's");
  await utimes(cli.path("left", fileOf(names.longAgo)), 0, 0);
  await removeLeftovers(cli.path("left", "samples.npy"));
  expect((await readdir(cli.path("left"))).sort()).toEqual(
    [".samples.npy.notes.tmp", fileOf(names.own), fileOf(names.elsewhere)].sort(),
  );
  await rm(cli.path("left"), { recursive: true });
});
