import type { Live } from "./runtime.ts";

/** Programs kept for the next call of the same kind: sampling and judging in turn should not compile anew each time. */
export const KEPT_PROGRAMS = 3;

interface Program {
  dispose(): void;
}

/** The programs of a model: the few used last, all on one device. */
export class KeptPrograms {
  /** By what they are for, the one used last at the end; all on `#live`. */
  readonly #programs = new Map<string, Program>();
  readonly #check: () => void;
  #live: Live | undefined;
  #disposed = false;

  /** @param check - throws where the model is disposed of. */
  constructor(check: () => void) {
    this.#check = check;
  }

  /** The program kept under this key, else a new one. */
  async get<Kept extends Program>(live: Live, key: string, build: () => Promise<Kept>): Promise<Kept> {
    if (this.#live !== live) this.#programs.clear(); // they went with their device
    this.#live = live;
    const kept = this.#programs.get(key) ?? (await build());
    const isLate = this.#live !== live; // lost meanwhile, and the next device is at work
    if (this.#disposed || isLate) kept.dispose();
    this.#check();
    if (isLate) throw new RangeError("lost while a program was built");
    this.#programs.delete(key);
    this.#programs.set(key, kept);
    for (const [oldest, program] of this.#programs) {
      if (this.#programs.size <= KEPT_PROGRAMS) break;
      program.dispose();
      this.#programs.delete(oldest);
    }
    return kept as Kept;
  }

  dispose(): void {
    this.#disposed = true;
    for (const program of this.#programs.values()) program.dispose();
    this.#programs.clear();
  }
}
