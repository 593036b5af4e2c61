/** A network's program as WebAssembly runs it: the same values from the same calls, in forms that only this backend has. */
import type { Program } from "../../schedule/program.ts";
import { withChainSums } from "./chain-sums.ts";
import { withDeepProducts } from "./deep-products.ts";

export function networkCalls(program: Program): Program {
  return withChainSums(withDeepProducts(program));
}
