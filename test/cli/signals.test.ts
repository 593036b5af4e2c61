// What signals leave: files that agree, a run that goes on to the same bits, an exit code.
import { exec } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { endless, once, patched, small, soon, stepsIn, upTo } from "./ended-runs.ts";
import { useCli } from "./run.ts";

const cli = useCli();

describe("signals", () => {
  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s saves: model, metrics and what is printed agree",
    async (signal) => {
      const { code, output, errors } = await cli.run([...endless(signal), "--json"], soon(cli, signal, signal));
      expect(code, errors).toBe(130);
      const { step, interrupted } = JSON.parse(output);
      expect(interrupted).toBe(true);
      expect(step).toBeGreaterThan(0);
      const found = await stepsIn(cli, signal);
      expect(found.model).toBe(step);
      expect(found.metrics).toEqual(upTo(step));
      expect((await readdir(cli.path(signal))).sort()).toEqual(["config.json", "metrics.jsonl", "model.safetensors"]);
    },
  );

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s ends a comparison, which says how to go on",
    async (signal) => {
      const out = `compared-${signal}`;
      const { code, output, errors } = await cli.run(
        ["compare", ...endless(out).slice(1)],
        soon(cli, signal, `${out}/cfm`),
      );
      expect({ code, output }).toEqual({ code: 130, output: "" });
      expect(errors).toMatch(
        new RegExp(
          `Interrupted at step \\d+ of cfm\\. To go on with this model: divflow train moons --resume ${out}/cfm/model.safetensors --out ${out}/cfm `,
        ),
      );
      const { model, metrics } = await stepsIn(cli, `${out}/cfm`);
      expect(metrics).toEqual(upTo(Number(model)));
      expect(await readdir(cli.path(out))).toEqual(["cfm"]);
    },
  );

  test("what train says runs in a shell, whatever the names", async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `${i % 7};${i % 3},5`);
    await writeFile(cli.path("it's my data.csv"), `a;b\n${rows.join("\n")}\n`);
    const given = [
      "train",
      "it's my data.csv",
      ...endless("my run").slice(2),
      "--decimal",
      "comma",
      "--validation",
      "none",
    ];
    const { code, errors } = await cli.run(given, soon(cli, "SIGINT", "my run"));
    expect(code).toBe(130);
    const command = /^To go on: divflow (.*)$/m.exec(errors)?.[1] as string;
    const { model } = await stepsIn(cli, "my run");
    const shell = `'${process.execPath}' '${cli.script}' ${command} --steps ${Number(model) + 5} --json`;
    const { stdout } = await promisify(exec)(shell, { cwd: cli.folder });
    expect(JSON.parse(stdout).step).toBe(Number(model) + 5);
  });

  test("SIGINT while a model is judged says that it is done, and how to use it", async () => {
    const out = "judging";
    const slow = patched(`import fs from "node:fs/promises"; import { syncBuiltinESMExports } from "node:module";
      const { rename } = fs;
      fs.rename = async (from, to) => {
        if (to.endsWith("samples.npy")) {
          process.stderr.write("judging\\n");
          await new Promise((resolve) => setTimeout(resolve, 1000));
        }
        return rename(from, to);
      };
      syncBuiltinESMExports();`);
    const judged = once(/judging\n/, (child) => void child.kill("SIGINT"));
    const { code, output, errors } = await cli.run(["compare", "moons", ...small, "--steps", "20", "--out", out], {
      ...judged,
      node: slow,
    });
    expect({ code, output }).toEqual({ code: 130, output: "" });
    expect(errors).toContain(
      "Interrupted while cfm was judged. Its training is done: judging/cfm/model.safetensors holds step 20. " +
        "To use it: divflow sample judging/cfm/model.safetensors --out samples.csv\n",
    );
  });

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
    const first = soon(cli, "SIGINT", "twice");
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
    const { model, metrics } = await stepsIn(cli, "twice");
    expect(model).toBe(step);
    expect(metrics).toEqual(upTo(step));
  });

  // Training does not stop: its abort is not heard.
  const deaf = `const { abort } = AbortController.prototype;
    AbortController.prototype.abort = function (reason) { setTimeout(() => abort.call(this, reason), 60_000); };`;

  test("a second Ctrl-C before the save ends at once, and says what is kept", async () => {
    const first = soon(cli, "SIGINT", "impatient");
    const second = once(/once more/, (child) => void setTimeout(() => child.kill("SIGINT"), 600));
    const { code, errors } = await cli.run(endless("impatient"), {
      node: patched(deaf),
      watch: (said, child) => {
        first.watch?.(said, child);
        second.watch?.(said, child);
      },
    });
    expect(code).toBe(130);
    const { model, metrics } = await stepsIn(cli, "impatient");
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
    const { code } = await cli.run(endless("killed"), soon(cli, "SIGKILL", "killed"));
    expect(code).toBe(null);
    expect(await readdir(cli.path("killed"))).toContain(".divflow.lock");
    await writeFile(cli.path("killed", ".model.safetensors.0123456789ab.tmp"), "half");
    const { model } = await stepsIn(cli, "killed");
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
