/** Each of our ops in ONNX's operators, or why there is none: a velocity that has such an op cannot be exported. */
import { convolveRules } from "./rules-convolve.ts";
import { elementwiseRules } from "./rules-elementwise.ts";
import { movingRules } from "./rules-moving.ts";
import { productRules } from "./rules-products.ts";
import type { Rules } from "./translation.ts";

export const rules: Rules = {
  ...elementwiseRules,
  ...movingRules,
  ...productRules,
  ...convolveRules,
  ...Object.fromEntries(
    ["attention", "attentionTangent", "attentionReverse", "attentionTangentReverse"].map((name) => [
      name,
      { none: "put together from others, which a file has in its place" },
    ]),
  ),
  random: { none: "random numbers by counter, which a velocity has none of" },
  state: { none: "a read of state, where there are points, times, conditions and parameters alone" },
  mlpFlow: { none: "a whole solve, which plans make of a network and no network is made of" },
};
