/** Answers to questions that few pages ask a model: see more-asked.ts. */
import type { NumericArray } from "../backends/backend.ts";
import { optionsObject } from "../graph/options.ts";
import { constant } from "../ops/sources.ts";
import { contributionsOf, estimatesOf, gradientsOf } from "./log-density-parts.ts";
import type { LocalModel } from "./model.ts";
import type { ModelSource } from "./model-source.ts";
import type { Answers, AskedMore, ModelFacts } from "./more-asked.ts";
import { residualsOf } from "./residuals.ts";
import { solveOptionNames } from "./solve-options.ts";

export async function answer(
  model: LocalModel,
  points: NumericArray | undefined,
  asked: AskedMore,
): Promise<Answers[keyof Answers]> {
  const given = points as NumericArray;
  switch (asked.of) {
    case "facts":
      return factsOf(model.source);
    case "block": {
      const { of: _, block: first, total, ...options } = asked;
      return model.sample(options, { first, total });
    }
    case "estimates": {
      const { of: _, ...options } = asked;
      optionsObject("options of estimates", options, [...solveOptionNames, "probes"]);
      return estimatesOf(model, given, options);
    }
    case "gradient": {
      const { of: _, ...options } = asked;
      optionsObject("options of the gradient", options, [...solveOptionNames, "divergence", "probes"]);
      return gradientsOf(model, given, options);
    }
    case "contributions": {
      const { of: _, ...options } = asked;
      optionsObject("options of contributions", options, solveOptionNames);
      return contributionsOf(model, given, options);
    }
    case "residuals":
      return residualsOf(model, given, asked);
  }
}

/** @throws {@link ConfigError} of a path without a Gaussian, whose flow begins elsewhere. */
function factsOf({ path, standardization, starting }: ModelSource): ModelFacts {
  path.at(constant(0, [1, 1]));
  const { start } = starting?.facts ?? {};
  const { priorDeviation } = path;
  return { standardization, start: start && { name: start.name, options: start.options }, priorDeviation };
}
