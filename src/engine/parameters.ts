/** Which of a model's parameters are used. */
import { ConfigError } from "../errors.ts";
import { booleanOption } from "../graph/options.ts";

/** Names of flat vectors. */
export type ParametersName = "best" | "ema" | "parameters";

export interface ParametersChoice {
  readonly best?: boolean | undefined;
  readonly ema?: boolean | undefined;
}

/**
 * What the options ask for: the best parameters before the average before the last ones.
 *
 * @param kept - what the model has beside its last parameters.
 * @throws {@link ConfigError} when they ask for what it does not have, or for two at once.
 */
export function chosenParameters({ best, ema }: ParametersChoice, kept: ReadonlySet<ParametersName>): ParametersName {
  for (const [name, given] of Object.entries({ best, ema })) if (given !== undefined) booleanOption(name, given);
  if (best && ema) {
    throw new ConfigError({
      subject: "best and ema",
      given: "both",
      expected: "one of them: the best parameters are of the average where there is one",
      remedy: "Leave out ema.",
    });
  }
  if (best && !kept.has("best")) {
    throw new ConfigError({
      subject: "best",
      given: true,
      expected: "a model that was validated while it was trained",
      remedy: "Give the trainer a validation, and let it come to one; or leave this option out.",
    });
  }
  if (ema && !kept.has("ema")) {
    throw new ConfigError({
      subject: "ema",
      given: true,
      expected: "a model with averaged parameters",
      remedy: "Give the trainer an ema, or leave this option out.",
    });
  }
  if (best ?? (ema === undefined && kept.has("best"))) return "best";
  return (ema ?? kept.has("ema")) ? "ema" : "parameters";
}
