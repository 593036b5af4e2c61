/**
 * Checks that run wherever divflow runs: no test framework, no Node, only what every platform has. A file of checks
 * exports `checks`, and test/conformance/index.ts lists it; test/platforms/ runs them all on each platform.
 */
export interface Context {
  /** Such as "deno-webgpu"; the names are in .build/platforms/run.mjs. */
  readonly platform: string;
  readonly backend: "webgpu" | "wasm";
  /** Where the backend is WebGPU. */
  readonly gpu?: GPU;
}

export interface Check {
  /** Unique among all checks; a test's name. */
  readonly name: string;
  /** The backend it is for; default: both. */
  readonly backend?: "webgpu" | "wasm";
  /** It is about this suite, not about the platform, and takes its time: once is enough. */
  readonly aboutSuite?: boolean;
  /**
   * It is about kernels that GPUs alone choose, which take software adapters minutes to compile: there it runs once for each
   * implementation of WebGPU.
   */
  readonly slowInSoftware?: boolean;
  /** The longest it may take on a loaded machine; default 60. */
  readonly seconds?: number;
  /** Throws when something is wrong, and {@link Skipped} when the platform lacks what is checked. */
  run(context: Context): Promise<void>;
}

/** Says why a platform cannot run a check. */
export class Skipped extends Error {}

export interface Result {
  readonly name: string;
  readonly ok: boolean;
  /** Why it was not run. */
  readonly skipped?: string;
  /** Why it is not, and where. */
  readonly message?: string;
  readonly stack?: string;
  readonly milliseconds: number;
}

const defaultSeconds = 60;

/** Runs checks one after another and reports each as it ends; one that fails or hangs does not stop the others. */
export async function runChecks(
  checks: readonly Check[],
  context: Context,
  report: (result: Result) => void | Promise<void>,
): Promise<void> {
  for (const check of checks) {
    const start = performance.now();
    let outcome: Partial<Result> = {};
    try {
      await within(check.seconds ?? defaultSeconds, check.run(context));
    } catch (error) {
      const { message, stack } = error instanceof Error ? error : new Error(String(error));
      outcome = error instanceof Skipped ? { skipped: message } : { ok: false, message, ...(stack && { stack }) };
    }
    await report({ name: check.name, ok: true, ...outcome, milliseconds: performance.now() - start });
  }
}

async function within(seconds: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Not done after ${seconds} s.`)), seconds * 1000);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
