import { ConfigError } from "../../errors.ts";
import type { Node } from "../../graph/node.ts";
import { integerOption } from "../../graph/options.ts";
import { multiply } from "../../ops/arithmetic.ts";
import { slice } from "../../ops/shape.ts";
import { subspaceOf } from "../hutch-plus-plus.ts";
import { expectAffine } from "../paths/affine.ts";
import { pointOnPath } from "../paths/path.ts";
import { type FDMOptions, fdm } from "./fdm.ts";
import { type Loss, onRows, randomKindOf } from "./loss.ts";

export interface HutchPlusPlusOptions extends Omit<FDMOptions, "estimator" | "form" | "unbiased"> {
  /** Sketches, normal vectors whose products span the subspace on which the trace is exact; default as many as probes. */
  readonly sketches?: number;
}

/** The name of such a loss: `moreLossNames`. */
export const HUTCH_PLUS_PLUS = "hutch++";

/**
 * {@link fdm} in its residual form, the trace by Hutch++: exact on the span of the Jacobian's products with some sketches, by
 * probes on the rest. It takes 2 `sketches` + `probes` products. The trace is unbiased, and so its square less biased than by as many probes alone where
 * the Jacobian's error has few large directions; where it has not, {@link fdm} with three times the probes is better.
 *
 * @throws {@link ConfigError} when an option is outside its range.
 */
export function hutchPlusPlus(options: HutchPlusPlusOptions = {}): Loss {
  const { sketches = options.probes ?? 1, ...given } = options;
  integerOption("sketches of hutchPlusPlus", sketches, 1, 512);
  const { probes = 1 } = given;
  integerOption("probes of hutchPlusPlus", probes, 1, 512);
  for (const name of ["estimator", "form", "unbiased"] as const) {
    if (!(name in given)) continue;
    throw new ConfigError({
      subject: `${name} of hutchPlusPlus`,
      given: Object(given)[name],
      expected: "no such option there",
      remedy: "Leave it out: this is the residual form, its trace by Hutch++.",
    });
  }
  const inner = fdm({ ...given, probes: sketches + probes });
  const { probe, fraction, divergence } = inner.options as Required<FDMOptions>;
  // What is told of it are its own probes; `inner` takes a mean over those and the basis, where a sum and a mean are meant.
  const { estimator, form, ...own } = inner.options;
  return {
    name: HUTCH_PLUS_PLUS,
    options: { ...own, probes, sketches },
    readsScore: divergence > 0,
    build(context) {
      if (divergence === 0) return inner.build(context);
      expectAffine("hutch++", context.path); // directions are found at points of it
      const { network, path, x0, x1, t, random } = context;
      const batch = t.shape[0] as number;
      const rows = Math.max(1, Math.round(fraction * batch)); // the rows that fdm takes it on
      const first = (node: Node) => (rows === batch ? node : slice(node, 0, 0, rows));
      const x = first(pointOnPath(path.at(t), x0, x1));
      const v = (rows === batch ? network : onRows(network, first))(x, first(t));
      const drawn = (kind: "normal" | "rademacher", count: number) =>
        Array.from({ length: count }, () => random(kind, x.shape));
      const { basis, rest } = subspaceOf(v, x, drawn("normal", sketches), drawn(randomKindOf[probe], probes));
      const all = sketches + probes;
      const directions = [
        ...basis.map((q) => multiply(q, Math.sqrt(all))),
        ...rest.map((g) => multiply(g, Math.sqrt(all / probes))),
      ];
      return inner.build({ ...context, random: () => directions.shift() as Node });
    },
  };
}
