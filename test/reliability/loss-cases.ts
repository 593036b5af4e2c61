/** What .build/platforms/run.mjs runs for losses.mjs: cases by seed, each reported as it ends. */
import type { Context } from "../conformance/check.ts";
import { RandomLosses } from "../conformance/random-losses.ts";

export interface Tried {
  readonly seed: number;
  readonly kind: string;
  readonly outcome: string;
  readonly wrong?: string;
}

export async function run(
  { gpu, input: { first, count } }: Context & { readonly input: { readonly first: number; readonly count: number } },
  report: (tried: Tried) => void | Promise<void>,
): Promise<void> {
  if (!gpu) throw new Error("This platform has no navigator.gpu.");
  const random = new RandomLosses(gpu);
  for (let seed = first; seed < first + count; seed++) {
    await report(
      await random.tryOne(seed).then(
        (ending) => ({ seed, ...ending }),
        (error: unknown) => ({ seed, kind: "wrong", outcome: "wrong", wrong: String(error) }),
      ),
    );
  }
  await random.dispose();
}
