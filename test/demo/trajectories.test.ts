/** The trajectories tab's work: events, how far off the equations samples are, and the shipped models. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../../.build/files.mjs";
import type { Drawn, News } from "../../demo/tabs/trajectories/messages.ts";
import { defectOf, Session, WANTED } from "../../demo/tabs/trajectories/session.ts";
import { eventOf, holdsIn, type ShownSystem, shownSystems, systemNamed } from "../../demo/tabs/trajectories/systems.ts";
import { trajectoriesNamed } from "../../src/dynamics.ts";

const modelOf = (name: string) => readFile(join(root, "demo", "models", `${name}.safetensors`));
const shareOf = (holds: readonly boolean[]) => holds.filter(Boolean).length / holds.length;

test("an event holds where its sentence says so", () => {
  const lorenz = systemNamed("lorenz");
  // Two trajectories of three states: x is 0.1, 0.5, 0.3 and 0.2, -0.4, 0.6.
  const values = [0.1, 9, 9, 0.5, 9, 9, 0.3, 9, 9, 0.2, 9, 9, -0.4, 9, 9, 0.6, 9, 9];
  const size = { size: 9, coordinates: 3 };
  const [stays, last] = ["stays", "last"].map((name) => eventOf(lorenz, name)) as [never, never];
  expect(holdsIn(values, size, stays, 0)).toEqual([true, false]);
  expect(holdsIn(values, size, stays, -0.5)).toEqual([true, true]);
  expect(holdsIn(values, size, stays, 0.1)).toEqual([false, false]);
  expect(holdsIn(values, size, last, 0.4)).toEqual([false, true]);
  const cells = systemNamed("fitzhugh-nagumo");
  const spike = eventOf(cells, "spike") as never;
  const two = [0, 0, 9, 9, 4, 1.2, 9, 9, 0, 3, 9, 9];
  expect(holdsIn(two, { size: 12, coordinates: 4 }, spike, 2.5)).toEqual([true]);
  expect(holdsIn(two, { size: 12, coordinates: 4 }, spike, 2.7)).toEqual([false]);
  expect(eventOf(cells, "stays")).toBeUndefined();
  expect(() => systemNamed("pendulum")).toThrow(/no system "pendulum"/);
});

describe.each(shownSystems)("$title", (system: ShownSystem) => {
  const width = system.coordinates.length;

  test("solutions are on the equations, and noise on them is seen", async () => {
    const { values } = await trajectoriesNamed(system.name, { count: 3, seed: 9 });
    expect(defectOf(system, values, 60)).toBeLessThan(1e-5);
    const still = Float64Array.from(values, (_, at) => values[at - (at % (60 * width)) + (at % width)] as number);
    expect(defectOf(system, still, 60)).toBeCloseTo(1, 6); // what stands still is as wrong as it can be said
    const range = (k: number) => [...values].filter((_, at) => at % width === k);
    for (const [which, [low, high]] of system.box.entries()) {
      const own = range(system.plane[which] as number);
      expect(Math.min(...own)).toBeGreaterThan(low);
      expect(Math.max(...own)).toBeLessThan(high);
    }
  });

  test("the shipped model draws such trajectories, more of an event when asked, and trains on", {
    timeout: 180_000,
  }, async () => {
    const bytes = await modelOf(system.name);
    expect(bytes.length).toBeLessThan(130_000);
    const news: News[] = [];
    const options = { backend: "wasm" as const, weight: 0, send: (one: News) => news.push(one) };
    const session = await Session.open(system, bytes, options);
    const { signal } = new AbortController();
    const drawn = async (event: Drawn["question"]["event"]) => {
      await session.draw({ event, steps: 10, seed: 0 }, signal);
      return news.flatMap((one) => (one.kind === "drawn" ? [one.drawn] : [])).at(-1) as Drawn;
    };
    const free = await drawn(undefined);
    expect(free.values).toHaveLength(WANTED * 60 * width);
    expect(free.evaluations).toBe(20);
    expect(free.defect).toBeLessThan(0.35);
    const [first] = system.events;
    const kind = first as (typeof system.events)[number];
    const guided = await drawn({ name: kind.name, threshold: kind.start, strength: 3 });
    const share = ({ values }: Drawn) =>
      shareOf(holdsIn(values, { size: 60 * width, coordinates: width }, kind, kind.start));
    expect(share(guided)).toBeGreaterThan(share(free) + 0.2);

    await session.turn();
    const trained = news.at(-1) as Extract<News, { kind: "trained" }>;
    expect(trained.step).toBe(session.step);
    expect(trained.loss).toBeLessThan(0.9); // a network that begins anew has 1.5 and more
    const step = session.step;
    await session.weigh(0.1);
    expect(session.step).toBe(step);
    await session.turn();
    expect(session.step).toBeGreaterThan(step);
    expect((news.at(-1) as Extract<News, { kind: "trained" }>).loss).toBeLessThan(0.9);
    session.close();
  });
});
