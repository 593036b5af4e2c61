/** What only whole networks run by, downloaded with the first program that has such a call. */
import { wholeNetworkShaders } from "../../generated/whole-network-shaders.ts";
import { mlpFlow } from "../../kernels/mlp-flow.ts";
import type { KernelForm } from "./kernel-dispatch.ts";

/** Its code is without the files that it uses: a page has those already. */
export const wholeNetworkForm: KernelForm = { declaration: mlpFlow, code: wholeNetworkShaders["mlpFlow"] };
