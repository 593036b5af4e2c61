// Run folders: who may write there, what is found out before training, what errors and full disks leave.
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { ownMark, shortMark } from "../../src/cli/processes.ts";
import { removeLeftovers } from "../../src/cli/replace-file.ts";
import { endless, once, patched, small, soon, stepsIn, upTo } from "./ended-runs.ts";
import { tiny, useCli } from "./run.ts";

const cli = useCli();

test("a step that is refused leaves the model before it, and the metrics up to that", async () => {
  const steep = ["train", "moons", ...tiny, "--steps", "2000", "--rate", "1e18", "--out", "steep"];
  const { code, output, errors } = await cli.run(steep);
  expect({ code, output }).toEqual({ code: 1, output: "" });
  const step = Number(/Saved step (\d+): steep\/model\.safetensors\n/.exec(errors)?.[1]);
  expect(errors).toMatch(new RegExp(`divflow: [^\\n]*training step ${step + 1}: `));
  expect(await stepsIn(cli, "steep")).toEqual({ model: step, metrics: upTo(step) });
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
    ["a process that runs", JSON.stringify(ownMark()), 2],
    ["one that had the number of one that runs", JSON.stringify({ ...ownMark(), start: "earlier" }), 0],
    ["one that is gone", JSON.stringify({ ...ownMark(), pid: 2 ** 22 + 1 }), 0],
    ["nobody: it is damaged", '{"pid":', 0],
  ])("with the lock of %s", async (name, lock, code) => {
    const out = name.replaceAll(/\W/g, "-");
    await mkdir(cli.path(out));
    await writeFile(cli.path(out, ".divflow.lock"), lock);
    const ended = await cli.run(["train", "moons", ...small, "--steps", "5", "--out", out]);
    expect(ended.code, ended.errors).toBe(code);
    expect(existsSync(cli.path(out, ".divflow.lock"))).toBe(code !== 0);
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
    expect((await stepsIn(cli, "seed-1")).metrics).toEqual([6, 7, 8]);
  });

  test("elsewhere gets the metrics of the run that goes on there", async () => {
    await cli.run(["train", "moons", ...small, "--steps", "5", "--out", "here"]);
    const resume = ["train", "moons", "--backend", "wasm", "--steps", "8", "--resume", "here/model.safetensors"];
    expect((await cli.run([...resume, "--out", "there"])).code).toBe(0);
    expect((await stepsIn(cli, "there")).metrics).toEqual(upTo(8));
    expect((await stepsIn(cli, "here")).metrics).toEqual(upTo(5));
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
    const ended = soon(cli, "SIGINT", "full");
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
    const { model, metrics } = await stepsIn(cli, "full");
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
