// How contenders take turns: who runs when, how often, and what becomes of those that fail.
import { describe, expect, test } from "vitest";
import { measure } from "../../bench/measure.mjs";
import { type Entrant, planTurns, takeTurns } from "../../bench/rounds.mjs";
import type { Contender } from "../../bench/rows.mjs";
import { makeSession, type Task, type Work } from "../../bench/session.ts";

const task: Task = { workload: "fdm", width: 512, batch: 512 };
const evidence = { lossBefore: 9.5844, lossAfter: 7.17086, deviation: null };

/** An entrant whose units take so long, as it says; it writes its name whenever it is asked for samples. */
function entrant(name: string, milliseconds: number, log: string[], change: Partial<Entrant> = {}): Entrant {
  return {
    task,
    prepare: async () => ({ evidence, units: 1, milliseconds }),
    samples: async (count) => {
      log.push(name);
      return new Array<number>(count).fill(milliseconds);
    },
    ...change,
  };
}

describe("turns", () => {
  test("go there and back", async () => {
    const log: string[] = [];
    const outcomes = await takeTurns([entrant("a", 500, log), entrant("b", 500, log)], { seconds: 2 });
    expect(log).toEqual(["a", "b", "b", "a", "a", "b", "b", "a"]);
    expect(outcomes.map(({ samples }) => samples?.length)).toEqual([4, 4]);
  });

  test("of slow ones are few, of fast ones many, with one that does not count before them", () => {
    expect(planTurns(10_000, 2)).toEqual({ turns: 1, perTurn: 1, warmUp: false });
    expect(planTurns(3000, 2)).toEqual({ turns: 2, perTurn: 1, warmUp: false });
    expect(planTurns(1000, 2)).toEqual({ turns: 3, perTurn: 1, warmUp: false });
    expect(planTurns(1, 2)).toEqual({ turns: 5, perTurn: 8, warmUp: true });
  });

  test("end for one that fails, and not for the others", async () => {
    const log: string[] = [];
    const fails = entrant("a", 500, log, { samples: () => Promise.reject(new Error("the page crashed")) });
    const [bad, good] = await takeTurns([fails, entrant("b", 500, log)], { seconds: 2 });
    expect(bad).toMatchObject({ error: "the page crashed", samples: [] });
    expect(good?.samples?.length).toBe(4);
  });

  test("are not taken with losses that are off, nor with what is not offered", async () => {
    const log: string[] = [];
    const off = entrant("a", 500, log, {
      prepare: async () => ({ evidence: { ...evidence, lossAfter: 7 }, units: 1, milliseconds: 1 }),
    });
    const missing = entrant("b", 500, log, {
      prepare: () => Promise.reject(Object.assign(new Error("no threads here"), { name: "NotOffered" })),
    });
    const outcomes = await takeTurns([off, missing], { seconds: 2 });
    expect(outcomes[0]?.error).toMatch(/after 3 steps is 7, expected 7.17086/);
    expect(outcomes[0]?.evidence?.lossAfter).toBe(7); // shown all the same
    expect(outcomes[1]).toMatchObject({ leftOut: "no threads here", samples: [] });
    expect(log).toEqual([]);
  });
});

describe("measure", () => {
  const contender: Contender = {
    implementation: "divflow",
    runtime: "node",
    backend: "wasm",
    threads: 1,
    relaxed: null,
  };
  const about = { version: "1", device: "a device", runtime: "Node 1" };
  const remote = (call: (method: string) => unknown) => {
    let alive = true;
    return {
      about,
      alive: () => alive,
      call: async (method: string) => call(method),
      close: async () => {
        alive = false;
      },
      kill: () => {
        alive = false;
      },
    };
  };
  const answers: Record<string, unknown> = {
    ceiling: 100,
    prepare: { evidence, units: 1, milliseconds: 50_000 },
    samples: [50_000],
  };

  test("leaves out what would take too long, by the rate seen before", async () => {
    const said: string[] = [];
    const ceilings = [90, 100];
    const kept: number[] = [];
    const { rows } = await measure({
      tasks: [task, { ...task, width: 1024, batch: 2048 }],
      contenders: [contender],
      open: async () => remote((method) => (method === "ceiling" ? ceilings.shift() : answers[method])),
      seconds: 1,
      say: (line) => said.push(line),
      keep: async (some) => void kept.push(some.length),
    });
    expect(kept).toEqual([1, 1, 2]); // after each task, and all with their ceilings at the end
    expect(rows[0]).toMatchObject({ ms: 50_000, ceiling: 100, version: "1" });
    expect(rows[1]?.leftOut).toMatch(/^about 799 s a step, by the rate at width 512$/);
    expect(said).toHaveLength(3);
  });

  test("opens a contender that died once more, then no more", async () => {
    let opened = 0;
    const { rows } = await measure({
      tasks: [task, task, task],
      contenders: [contender],
      open: async () => {
        opened++;
        const dying = remote((method) => {
          if (method !== "prepare") return answers[method];
          dying.kill();
          throw new Error("the process ended");
        });
        return dying;
      },
      seconds: 1,
      say: () => {},
    });
    expect(opened).toBe(2);
    expect(rows.map(({ error }) => error)).toEqual([
      "the process ended",
      "the process ended",
      "not opened again after it failed twice",
    ]);
  });
});

describe("both losses of a network", () => {
  const contender: Contender = {
    implementation: "divflow",
    runtime: "node",
    backend: "wasm",
    threads: 1,
    relaxed: true,
  };
  const tasks: Task[] = (["cfm", "fdm"] as const).map((workload) => {
    return { workload, network: "sit", width: 0, batch: 64 };
  });
  const shown = { lossBefore: 2, lossAfter: 1, deviation: null };
  const kinds = { milliseconds: 500, kinds: [] };
  type Answer = (method: string, parameters: readonly unknown[], kill: () => void) => unknown;
  const opener = (answer: Answer) => async () => {
    let alive = true;
    const kill = () => {
      alive = false;
    };
    return {
      about: { version: "1", device: "a device", runtime: "Node 1" },
      alive: () => alive,
      call: async (method: string, parameters: readonly unknown[]) =>
        method === "ceiling" ? 100 : answer(method, parameters, kill),
      close: async () => {},
    };
  };

  test("take turns side by side in one session, and the FDM step tells where its time goes", async () => {
    const calls: string[] = [];
    const { rows } = await measure({
      ...{ tasks, contenders: [contender], seconds: 1, say: () => {} },
      open: opener((method, parameters) => {
        const place = Number(parameters[1]);
        calls.push(`${method} ${place}`);
        if (method === "prepare") return { evidence: shown, units: 1, milliseconds: 500, flops: 1e9 };
        return method === "kinds" ? kinds : new Array<number>(Number(parameters[0])).fill(place === 0 ? 500 : 1000);
      }),
    });
    expect(calls.join()).toBe(
      "prepare 0,prepare 1,samples 0,samples 1,samples 1,samples 0,samples 0,samples 1,kinds 1",
    );
    expect(rows.map(({ workload, ms, turns }) => ({ workload, ms, turns }))).toEqual([
      { workload: "cfm", ms: 500, turns: [1, 1, 1] },
      { workload: "fdm", ms: 1000, turns: [1, 1, 1] },
    ]);
    expect(rows.map((row) => row.kinds)).toEqual([undefined, kinds]);
  });

  test("the other loss of what is left out is not tried", async () => {
    const tried: (string | number | undefined)[] = [];
    const { rows } = await measure({
      ...{ tasks, contenders: [contender], seconds: 1, say: () => {} },
      open: opener((_, parameters) => {
        const { workload, mostSeconds } = parameters[0] as Task;
        tried.push(workload, mostSeconds);
        throw Object.assign(new Error("a step takes 7 s, more than 6 s"), { name: "NotOffered" });
      }),
    });
    expect(tried).toEqual(["cfm", 20]);
    expect(rows.map(({ leftOut }) => leftOut)).toEqual([
      "a step takes 7 s, more than 6 s",
      "of its other loss a step takes 7 s, more than 6 s",
    ]);
  });

  test("one that takes the session with it leaves the other its figure", async () => {
    let opened = 0;
    const open = opener((method, parameters, kill) => {
      const [task, place] = parameters as [Task, number];
      if (method === "prepare" && task.workload === "fdm") {
        kill();
        throw new Error("not done after 120 s");
      }
      if (method === "prepare") return { evidence: shown, units: 1, milliseconds: 500 };
      return new Array<number>(Number(parameters[0])).fill(500 + place);
    });
    const { rows } = await measure({
      ...{ tasks, contenders: [contender], seconds: 1, say: () => {} },
      open: () => {
        opened++;
        return open();
      },
    });
    expect(opened).toBe(2);
    expect(rows.map(({ ms, error }) => ({ ms, error }))).toEqual([
      { ms: 500, error: undefined },
      { ms: null, error: "not done after 120 s" },
    ]);
  });
});

test("a session takes as many units to a sample as fit, and disposes of the task before", async () => {
  const [runs, disposed]: [number[], string[]] = [[], []];
  const work = (name: string): Work => ({
    evidence,
    unitChoices: [1, 4, 1_000_000],
    sampleMilliseconds: 50,
    run: async (units) => void runs.push(units),
    dispose: () => void disposed.push(name),
  });
  let built = 0;
  const session = makeSession({
    version: "1",
    device: "none",
    ceiling: async () => null,
    build: async () => work(`work ${++built}`),
    close: () => void disposed.push("all"),
  });
  await expect(session.samples(1)).rejects.toThrow("No task");
  const { units } = await session.prepare(task);
  expect(units).toBeGreaterThanOrEqual(4);
  runs.length = 0;
  expect(await session.samples(3)).toHaveLength(3);
  expect(runs).toEqual([units, units, units]);
  await session.prepare(task);
  expect(disposed).toEqual(["work 1"]);
  await session.prepare(task, 1); // beside the second
  expect(await session.samples(1, 0)).toHaveLength(1);
  await session.prepare(task, 1);
  expect(disposed).toEqual(["work 1", "work 3"]);
  expect(await session.kinds(1, 1)).toBe(null);
  await session.prepare(task);
  expect(disposed).toEqual(["work 1", "work 3", "work 2", "work 4"]);
  await expect(session.samples(1, 1)).rejects.toThrow("No task");
  session.close();
  expect(disposed.slice(4)).toEqual(["work 5", "all"]);
});
