// Run folders: who may write there, what is found out before training, what errors and full disks leave.
import { existsSync, statSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { afterEach, describe, expect, test } from "vitest";
import { ownMark, shortMark } from "../../src/cli/processes.ts";
import { removeLeftovers } from "../../src/cli/replace-file.ts";
import { endless, once, small, soon, stepsIn, upTo, withFullDisk } from "./ended-runs.ts";
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
  const full = withFullDisk(`existsSync("no-room")`);

  const fill = () => writeFile(cli.path("no-room"), "");
  const free = () => rm(cli.path("no-room"), { force: true });
  /** Fills the disk once there are steps. */
  const filled = (out: string) =>
    once(/asked\.\n/, () => {
      const poll = setInterval(() => {
        if (!statSync(cli.path(out, "metrics.jsonl"), { throwIfNoEntry: false })?.size) return;
        clearInterval(poll);
        fill();
      }, 20);
    });
  afterEach(free);

  test.each([
    ["model.safetensors", "content instanceof Uint8Array"],
    ["config.json", "typeof content?.next === 'function'"],
  ])("from the start is refused before training: no room for %s", async (name, isIt) => {
    const { code, output, errors } = await cli.run(["train", "moons", ...small, "--steps", "2000", "--out", "never"], {
      node: withFullDisk(isIt),
    });
    expect({ code, output }).toEqual({ code: 1, output: "" });
    expect(errors).toContain(`divflow: never/${name}: the disk is full. Nothing was trained: free `);
    expect(existsSync(cli.path("never"))).toBe(false);
  });

  test("to the end is said once, with what is kept and how to go on", async () => {
    const ended = once(/disk is full/, (child) => void setTimeout(() => child.kill("SIGINT"), 1000));
    const fills = filled("to the end");
    const { code, output, errors } = await cli.run(endless("to the end"), {
      node: full,
      watch: (said, child) => {
        fills.watch?.(said, child);
        ended.watch?.(said, child);
      },
    });
    expect({ code, output }).toEqual({ code: 1, output: "" });
    expect(errors.match(/to the end\/model\.safetensors: the disk is full/g)).toHaveLength(2);
    const { model, metrics } = await stepsIn(cli, "to the end");
    expect(metrics).toEqual(upTo(Number(model)));
    expect(errors.split("\n").at(-2)).toBe(
      `divflow: to the end/model.safetensors: the disk is full. Nothing was left half written; to the end/model.safetensors holds step ${model}. ` +
        "To go on, free 0.1 MB: divflow train moons --resume 'to the end/model.safetensors' --out 'to the end' --backend wasm --threads 1",
    );
  });

  // There is room for a model, or for metrics.
  const narrow = withFullDisk(
    `content instanceof Uint8Array && (statSync("narrow/metrics.jsonl", { throwIfNoEntry: false })?.size ?? 0) > 0`,
  );

  test("has the model first: metrics make room for it", async () => {
    const options = { ...soon(cli, "SIGINT", "narrow"), node: narrow };
    const { code } = await cli.run(endless("narrow"), options);
    expect([1, 130]).toContain(code);
    const { model, metrics } = await stepsIn(cli, "narrow");
    expect(model).toBeGreaterThan(0);
    expect(metrics).toEqual(upTo(Number(model)));
  });

  test("ends no training, and the save after it has all", async () => {
    const fills = filled("full");
    const freed = once(/disk is full/, () => void free());
    const ended = once(/Saved again/, (child) => void child.kill("SIGINT"));
    const { code, output, errors } = await cli.run([...endless("full"), "--json"], {
      node: full,
      watch: (said, child) => {
        fills.watch?.(said, child);
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

describe("a run that goes on", () => {
  const resume = (out: string) => [
    "train",
    "moons",
    "--backend",
    "wasm",
    "--resume",
    `${out}/model.safetensors`,
    "--out",
    out,
  ];

  test("without its metrics, or with a damaged config.json, says so", async () => {
    await cli.run(["train", "moons", ...small, "--steps", "5", "--out", "bare"]);
    await rm(cli.path("bare", "metrics.jsonl"));
    await writeFile(cli.path("bare", "config.json"), '{"steps": 5');
    const { code, errors } = await cli.run([...resume("bare"), "--steps", "8"]);
    expect(code).toBe(0);
    expect(errors).toContain("bare/metrics.jsonl: no such file. Metrics begin behind step 5.\n");
    expect(errors).toContain("bare/config.json: damaged, or none of a run.");
    const whole = await cli.run([...resume("bare"), "--steps", "9"]);
    expect(whole.errors).not.toMatch(/no such file|damaged/);
  });

  test("is named by its file: of its folder the file is what is advised", async () => {
    await cli.run(["train", "moons", ...small, "--steps", "5", "--out", "named"]);
    const { code, errors } = await cli.run(["train", "moons", "--resume", "named", "--out", "named", "--steps", "8"]);
    expect(code).toBe(2);
    expect(errors).toMatch(/named: got "a directory".*Try named\/model\.safetensors\.\n$/);
    expect(errors).not.toContain("--force");
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
