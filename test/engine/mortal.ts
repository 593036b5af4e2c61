/** The reference as a device that can be lost. */
import type { Backend } from "../../src/backends/backend.ts";
import { createReferenceBackend } from "../../src/backends/reference/backend.ts";
import { LocalRuntime } from "../../src/engine/runtime.ts";

/** How a lost device answers what is asked of it: never, or with this error, before the news of the loss. */
export type Manner = "hangs" | Error;

export interface Mortal {
  readonly backend: Backend;
  /** From now on nothing is done here. The news comes a little later, or never. */
  lose(news?: boolean): void;
}

/** @param runs - after so many it is lost by itself. */
export function mortal(manner: Manner, runs = Number.POSITIVE_INFINITY): Mortal {
  const inner = createReferenceBackend();
  let tell: (reason: string) => void = () => {};
  let left = runs;
  let isLost = false;
  const fate = <Value>() => (manner === "hangs" ? new Promise<Value>(() => {}) : Promise.reject<Value>(manner));
  const lose = (news = true) => {
    isLost = true;
    if (news) setTimeout(tell, 5, "the driver was reset");
  };
  const backend: Backend = {
    ...inner,
    lost: new Promise((resolve) => {
      tell = resolve;
    }),
    async load(program, state) {
      if (isLost) return fate();
      const executable = await inner.load(program, state);
      return {
        dispose: executable.dispose,
        run(times) {
          left -= times;
          if (left <= 0 && !isLost) lose();
          if (!isLost) executable.run(times);
        },
      };
    },
    finished: () => (isLost ? fate() : inner.finished()),
    read: (...args) => (isLost ? fate() : inner.read(...args)),
  };
  return { backend, lose };
}

/** A runtime whose devices are kept in `devices`, the one in use at the end. */
export function mortalRuntime(
  manner: Manner,
  more: Partial<ConstructorParameters<typeof LocalRuntime>[0]> = {},
): { readonly runtime: LocalRuntime; readonly devices: Mortal[] } & Disposable {
  const devices: Mortal[] = [];
  const next = () => {
    const device = mortal(manner);
    devices.push(device);
    return device.backend;
  };
  const runtime = new LocalRuntime({ backend: next(), reason: "a test", renew: async () => next(), ...more });
  return { runtime, devices, [Symbol.dispose]: () => runtime.dispose() };
}
