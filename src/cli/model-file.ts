/** What a file of weights alone, such as PyTorch's, does not say of its network. */
import { activationKinds } from "../index.ts";
import { oneOf } from "./arguments.ts";

export const activationArgument = {
  type: "string",
  description: `of a file that holds weights alone, as PyTorch saves: ${activationKinds.join(", ")}`,
} as const;

/** As `load` takes it. */
export function readActivation(given: string | undefined): { readonly activation?: string } {
  return given === undefined ? {} : { activation: oneOf("--activation", given, activationKinds) };
}
