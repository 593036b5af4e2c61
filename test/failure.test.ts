// What is raced with a failure that never comes must be free when it is done: Promise.race would keep it.
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { Lock } from "../src/engine/lock.ts";
import { Failure } from "../src/failure.ts";
import { Kept } from "./collect.mjs";

const source = new URL("../src/", import.meta.url);

test("gives what the work gives, well or badly, and keeps nothing of it", async () => {
  const failure = new Failure();
  const kept = new Kept();
  for (let i = 0; i < 100; i++) {
    await failure.race(Promise.resolve(kept.note({ result: i })));
    await failure.race(Promise.reject(kept.note(new Error(`${i}`)))).catch(() => {});
  }
  expect(await kept.count()).toBe(0);
  await expect(failure.race(Promise.resolve(1))).resolves.toBe(1);
  await expect(failure.race(Promise.reject(new Error("of the work")))).rejects.toThrow("of the work");
});

test("ends every wait with its error, the first that came, also of those who come later", async () => {
  const failure = new Failure();
  const never = new Promise<never>(() => {});
  const [one, other] = [failure.race(never), failure.race(never)];
  failure.fail(new Error("lost"));
  failure.fail(new Error("lost again"));
  await expect(one).rejects.toThrow("lost");
  await expect(other).rejects.toThrow(/^lost$/);
  await expect(failure.race(never)).rejects.toThrow(/^lost$/);
  await expect(failure.race(Promise.reject(new Error("too late")))).rejects.toThrow();
});

test("a lock keeps no result of what it ran last", async () => {
  const lock = new Lock();
  const kept = new Kept();
  const work = async () => {
    await lock.run(async () => kept.note({}));
  };
  await work(); // a function of its own: a suspended one keeps what it awaited last
  expect(await kept.count()).toBe(0);
  expect(await lock.run(async () => 2)).toBe(2);
});

test("nothing in src/ races by Promise.race but a time limit, whose timer ends with the race", () => {
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const racing = files.filter((file) => /Promise\.race\(/.test(readFileSync(new URL(file, source), "utf8")));
  expect(racing.map((file) => basename(file))).toEqual(["in-time.ts"]);
});
