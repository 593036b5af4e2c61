/** What a file of weights alone, such as PyTorch's, does not say of its network. */
import { activationKinds, type Model } from "../index.ts";
import { oneOf } from "./arguments.ts";

export const activationArgument = {
  type: "string",
  description: `of a file that holds weights alone, as PyTorch saves: ${activationKinds.join(", ")}`,
} as const;

/** As `load` takes it. */
export function readActivation(given: string | undefined): { readonly activation?: string } {
  return given === undefined ? {} : { activation: oneOf("--activation", given, activationKinds) };
}

/** The names of a model's coordinates, where its data had names. */
export function namesOf(model: Model): readonly string[] | undefined {
  return "columns" in model ? (model.columns as readonly string[] | undefined) : undefined;
}
