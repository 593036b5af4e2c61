/** Answers to questions that few pages ask a model: see more-asked.ts. */
import type { NumericArray } from "../backends/backend.ts";
import { onDemand } from "../backends/on-demand.ts";
import { optionsObject } from "../graph/options.ts";
import { constant } from "../ops/sources.ts";
import { plainGuides } from "./guide-options.ts";
import { contributionsOf, estimatesOf, gradientsOf } from "./log-density-parts.ts";
import type { LocalModel } from "./model.ts";
import type { ModelSource } from "./model-source.ts";
import type { Answers, AskedMore, AskedRows, ModelFacts } from "./more-asked.ts";
import { residualsOf } from "./residuals.ts";
import { optionalEstimator, solveOptionNames } from "./solve-options.ts";

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
    case "rows":
      return rowsAtOnce(model, asked);
    case "densities": {
      const { of: _, block: first, total, ...options } = asked;
      return model.logDensity(given, options, { first, total });
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

async function rowsAtOnce(model: LocalModel, { of: _, total, ...options }: AskedRows): Promise<number> {
  const divergence = optionalEstimator("sample", options.logDensity);
  const guides = plainGuides(options, model);
  const guide =
    guides &&
    (await onDemand(import("./guide.ts")).then(({ guideOf }) =>
      guideOf(guides, model, model.source.standardization, total, divergence),
    ));
  return model.blocks(total, divergence, model.told("sample", options, total), guide?.passes).rows;
}

/** @throws {@link ConfigError} of a path without a Gaussian, whose flow begins elsewhere. */
function factsOf({ path, standardization, starting }: ModelSource): ModelFacts {
  path.at(constant(0, [1, 1]));
  const { start } = starting?.facts ?? {};
  const { priorDeviation } = path;
  return { standardization, start: start && { name: start.name, options: start.options }, priorDeviation };
}
