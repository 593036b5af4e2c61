/**
 * What runs inside a child process or a page: one implementation on one backend. It builds the work of a task, shows
 * evidence that the numbers are right, and times samples of it when it is told to: so several implementations can take
 * turns.
 */
export interface Context {
  readonly backend: "wasm" | "webgpu";
  /** Threads to use; 1 on WebGPU. */
  readonly threads: number;
  /** WebAssembly with relaxed SIMD; null: as the implementation chooses. */
  readonly relaxed: boolean | null;
  /** Where the backend is WebGPU. */
  readonly gpu?: GPU | undefined;
}

export type WorkloadName =
  | "cfm"
  | "fdm"
  | "cfm-full"
  | "fdm-full"
  | "fraction-full"
  | "sample"
  | "logdensity"
  | "matmul";

/** A product of two matrices; see matmulShapes in workload.mjs. */
export interface MatmulShape {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly transposeLeft: boolean;
  readonly transposeRight: boolean;
}

export interface Task {
  readonly workload: WorkloadName;
  /** Of the hidden layers. */
  readonly width: number;
  /** Rows of a training step, points of a solve, rows of a product. */
  readonly batch: number;
  /** Of a matmul. */
  readonly shape?: MatmulShape;
  /** Of a step: one of networkNames, in place of the MLP of `width`. */
  readonly network?: string;
  /** Of a network's step: what takes longer is left out. */
  readonly mostSeconds?: number;
}

/** Of the program of a step. */
export interface PlanFacts {
  readonly calls: number;
  /** Moved by all calls, and by copies. */
  readonly bytes: number;
  readonly copyBytes: number;
  /** Of temporaries, and the most that are live at once. */
  readonly peakBytes: number;
  readonly leastPeakBytes: number;
  /** Of parameters, moments and all else that outlives a step. */
  readonly stateBytes: number;
}

/** Where the time of a step goes. */
export interface KindTimes {
  /** Of a whole step. */
  readonly milliseconds: number;
  /** Calls of a kind of kernel, each timed alone, those that take most first. */
  readonly kinds: readonly {
    readonly name: string;
    readonly isProduct: boolean;
    readonly calls: number;
    readonly milliseconds: number;
    readonly flops: number;
    readonly bytes: number;
  }[];
}

/** What shows that the numbers are right; null where it does not apply. */
export interface Evidence {
  readonly lossBefore: number | null;
  /** After 3 Adam steps. */
  readonly lossAfter: number | null;
  /** Largest error, relative to the largest value, of some results against f64. */
  readonly deviation: number | null;
}

/** The work of one task, ready to run. */
export interface Work {
  /** Of a unit, where they do not follow from the task. */
  readonly flops?: number;
  readonly evidence: Evidence;
  /** Of the last unit that the evidence took, where that is known. */
  readonly milliseconds?: number;
  readonly plan?: PlanFacts;
  /** A training step, an Euler step, a product: does so many and waits for them. */
  run(units: number): Promise<void>;
  /** How many units a sample may have; the most that fit in `sampleMilliseconds` are taken, one at least. */
  readonly unitChoices: readonly number[];
  readonly sampleMilliseconds: number;
  /** Where the time goes, from so many units; where that can be told. */
  kinds?(units: number): Promise<KindTimes>;
  dispose(): void;
}

export interface Implementation {
  readonly version: string;
  readonly device: string;
  /** Arithmetic this backend can do at best, in GFLOP/s; null: not measured. */
  ceiling(): Promise<number | null>;
  /** Throws a {@link NotOffered} for work that it cannot do at all. */
  build(task: Task): Promise<Work>;
  close(): void;
}

export interface Prepared {
  /** See {@link Work}. */
  readonly flops?: number;
  readonly plan?: PlanFacts;
  readonly evidence: Evidence;
  /** Units of a sample. */
  readonly units: number;
  /** Of a unit, after warming up. */
  readonly milliseconds: number;
}

/** What the other side of the process or page calls. */
export interface Session {
  readonly version: string;
  readonly device: string;
  ceiling(): Promise<number | null>;
  /**
   * Builds a task in place of those before, and warms it up. At a `place` above 0 it takes the place of the one there,
   * and the others stay.
   */
  prepare(task: Task, place?: number): Promise<Prepared>;
  /** Milliseconds of each of so many samples of the task prepared there, divided by their units. */
  samples(count: number, place?: number): Promise<number[]>;
  /** Where the time of the task prepared there goes, from so many units; null where that cannot be told. */
  kinds(units: number, place?: number): Promise<KindTimes | null>;
  close(): void;
}

/** What an implementation or a platform does not have: a row says so, and it is no error. */
export class NotOffered extends Error {
  override readonly name = "NotOffered";
}

export const trainingUnits = { unitChoices: [1], sampleMilliseconds: 0 } as const;
/** A solve of fewer steps is scaled to all of them, marked as such. */
export const solveUnits = { unitChoices: [1, 2, 5, 10, 20, 50, 100], sampleMilliseconds: 2500 } as const;
/** Rates, not latencies: many in one submission. */
export const matmulUnits = { unitChoices: powersOfTwo(12), sampleMilliseconds: 60 } as const;
export const fullStepUnits = { unitChoices: powersOfTwo(10), sampleMilliseconds: 250 } as const;

function powersOfTwo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => 2 ** i);
}

/** Engines compile hot code anew: work of less than this is not warm. */
const WARM_MILLISECONDS = 600;
/** But a unit that takes so long is not run just to warm up. */
const SLOW_MILLISECONDS = 3000;

function unitsFor({ unitChoices, sampleMilliseconds }: Work, milliseconds: number): number {
  return Math.max(1, ...unitChoices.filter((count) => count * milliseconds <= sampleMilliseconds));
}

/** A peer's work of a task, by what the task is about. @throws {@link NotOffered} for full steps, divflow's own. */
export async function peerWork(
  task: Task,
  make: Readonly<Record<"training" | "solve" | "matmul", (task: Task) => Promise<Work>>>,
): Promise<Work> {
  switch (task.workload) {
    case "cfm":
    case "fdm":
      return make.training(task);
    case "sample":
    case "logdensity":
      return make.solve(task);
    case "matmul":
      return make.matmul(task);
    default:
      throw new NotOffered("the full step is divflow's own");
  }
}

export function makeSession(implementation: Implementation): Session {
  const prepared = new Map<number, { readonly work: Work; units: number }>();
  const timed = async ({ run }: Work, count: number) => {
    const start = performance.now();
    await run(count);
    return performance.now() - start;
  };
  const release = (place: number) => {
    prepared.get(place)?.work.dispose();
    prepared.delete(place);
  };
  const at = (place: number) => {
    const found = prepared.get(place);
    if (!found) throw new Error("No task is prepared.");
    return found;
  };
  return {
    version: implementation.version,
    device: implementation.device,
    ceiling: () => implementation.ceiling(),

    async prepare(task, place = 0) {
      for (const each of place === 0 ? [...prepared.keys()] : [place]) release(each);
      const work = await implementation.build(task);
      const entry = { work, units: 1 };
      prepared.set(place, entry);
      let milliseconds = work.milliseconds ?? (await timed(work, 1)); // this may compile
      if (milliseconds < SLOW_MILLISECONDS) {
        const end = performance.now() + WARM_MILLISECONDS;
        milliseconds = await timed(work, 1);
        do {
          // Again each time: what a call costs beside its units, such as the state's way to the host, is no unit's.
          entry.units = Math.max(entry.units, unitsFor(work, milliseconds));
          milliseconds = (await timed(work, entry.units)) / entry.units;
        } while (performance.now() < end);
      }
      const { evidence, flops, plan } = work;
      return {
        ...{ evidence, units: entry.units, milliseconds },
        ...(flops === undefined ? {} : { flops }),
        ...(plan ? { plan } : {}),
      };
    },

    async samples(count, place = 0) {
      const { work, units } = at(place);
      const times: number[] = [];
      for (let i = 0; i < count; i++) times.push((await timed(work, units)) / units);
      return times;
    },

    async kinds(units, place = 0) {
      return (await at(place).work.kinds?.(units)) ?? null;
    },

    close() {
      for (const place of [...prepared.keys()]) release(place);
      implementation.close();
    },
  };
}
