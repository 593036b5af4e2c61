/**
 * y = f(x), elementwise, for f in `activationKinds` or one of its derivatives f', f'', f''' (`order`).
 * A jvp uses f'; the vjp of a jvp, which FDM trains with, f''; the check of that, f'''.
 */
import { UnsupportedError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { defineOp, type OpCases } from "../graph/op.ts";
import { multiply } from "./arithmetic.ts";
import { equalShapes, expectDTypes, mapElements } from "./elementwise.ts";
import { normalCdf, normalDensity, sigmoid } from "./special.ts";

type Scalar = (x: number) => number;

const zero: Scalar = () => 0;
const hyperbolicSecantSquared: Scalar = (x) => 1 / Math.cosh(x) ** 2; // 1 - tanh^2 would cancel

/** Coefficients of gelu's tanh form: 0.5 x (1 + tanh(SCALE (x + CUBIC x^3))). */
const SCALE = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/** selu's scale, and scale times its alpha, by PyTorch's digits: units of mean 0 and variance 1 keep both. */
const SELU_SCALE = 1.0507009873554805;
const SELU_LEFT = SELU_SCALE * 1.6732632423543772;

/** G(x) = (1 + tanh(u(x))) / 2, u = SCALE (x + CUBIC x^3): G and its first three derivatives. */
function gateOfCubic(x: number): readonly [number, number, number, number] {
  const u = SCALE * (x + CUBIC * x ** 3);
  const u1 = SCALE * (1 + 3 * CUBIC * x * x);
  const u2 = 6 * SCALE * CUBIC * x;
  const u3 = 6 * SCALE * CUBIC;
  const gate = sigmoid(2 * u); // 1 + tanh would cancel
  const s = 0.5 * hyperbolicSecantSquared(u);
  if (s === 0) return [gate, 0, 0, 0]; // cosh overflows long before u1 does; 0 times a power of it is 0
  const t = Math.tanh(u);
  return [gate, s * u1, s * (u2 - 2 * t * u1 * u1), s * (u3 - 6 * t * u1 * u2 + (6 * t * t - 2) * u1 ** 3)];
}

/**
 * f, f', f'', f''' in f64. With s = sigmoid(x), n = 1 - s = sigmoid(-x): s' = s n. relu, elu and selu take the
 * derivative from the left at 0.
 */
const derivatives = {
  silu: [
    (x) => x * sigmoid(x),
    (x) => sigmoid(x) * (1 + x * sigmoid(-x)),
    (x) => sigmoid(x) * sigmoid(-x) * (2 + x * (sigmoid(-x) - sigmoid(x))),
    (x) => {
      const product = sigmoid(x) * sigmoid(-x);
      const q = sigmoid(-x) - sigmoid(x);
      return product * (3 * q + x * (q * q - 2 * product));
    },
  ],
  tanh: [
    Math.tanh,
    hyperbolicSecantSquared,
    (x) => -2 * Math.tanh(x) * hyperbolicSecantSquared(x),
    (x) => hyperbolicSecantSquared(x) * (6 * Math.tanh(x) ** 2 - 2),
  ],
  relu: [(x) => (x > 0 ? x : 0), (x) => (x > 0 ? 1 : 0), zero, zero],
  // x Phi(x), Phi the normal CDF: the exact form.
  gelu: [
    (x) => x * normalCdf(x),
    (x) => normalCdf(x) + x * normalDensity(x),
    (x) => (2 - x * x) * normalDensity(x),
    (x) => (x * x - 4) * x * normalDensity(x),
  ],
  geluTanh: [
    (x) => x * gateOfCubic(x)[0],
    (x) => gateOfCubic(x)[0] + x * gateOfCubic(x)[1],
    (x) => 2 * gateOfCubic(x)[1] + x * gateOfCubic(x)[2],
    (x) => 3 * gateOfCubic(x)[2] + x * gateOfCubic(x)[3],
  ],
  softplus: [
    (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    sigmoid,
    (x) => sigmoid(x) * sigmoid(-x),
    (x) => sigmoid(x) * sigmoid(-x) * (sigmoid(-x) - sigmoid(x)),
  ],
  sin: [Math.sin, Math.cos, (x) => -Math.sin(x), (x) => -Math.cos(x)],
  elu: [
    (x) => (x > 0 ? x : Math.expm1(x)),
    (x) => (x > 0 ? 1 : Math.exp(x)),
    (x) => (x > 0 ? 0 : Math.exp(x)),
    (x) => (x > 0 ? 0 : Math.exp(x)),
  ],
  selu: [
    (x) => (x > 0 ? SELU_SCALE * x : SELU_LEFT * Math.expm1(x)),
    (x) => (x > 0 ? SELU_SCALE : SELU_LEFT * Math.exp(x)),
    (x) => (x > 0 ? 0 : SELU_LEFT * Math.exp(x)),
    (x) => (x > 0 ? 0 : SELU_LEFT * Math.exp(x)),
  ],
} satisfies Record<string, readonly [Scalar, Scalar, Scalar, Scalar]>;

export type ActivationKind = keyof typeof derivatives;

/** The order is the kernels': src/kernels/elementwise.ts has the same list. */
export const activationKinds = Object.keys(derivatives) as ActivationKind[];

export interface ActivationAttributes {
  readonly kind: ActivationKind;
  /** 0 for the function, 1 to 3 for a derivative. */
  readonly order: number;
}

export const activation = defineOp<ActivationAttributes>({
  name: "activation",
  shape: (shapes) => equalShapes("activation", 1, shapes),
  dtype: (given) => expectDTypes("activation", given, ["f32"], "f32"),
  jvp: ({ inputs: [x], attributes }, [dx]) => dx && multiply(dx, derivative(x as Node, attributes)),
  vjp: ({ inputs: [x], attributes }, cotangent) => [multiply(cotangent, derivative(x as Node, attributes))],
  reference: (inputs, { kind, order }, shape) => mapElements(inputs, shape, derivatives[kind][order] as Scalar),
  elementwise: ({ kind, order }) => `${kind}${order}`,
});

export const activationCases: OpCases<ActivationAttributes> = () =>
  activationKinds.flatMap((kind) =>
    [0, 1, 2, 3].map((order) => ({
      shapes: [[2, 3]],
      attributes: { kind, order },
      derivatives: 3 - order,
      domain: (x: number) => 2 * x + (x < 0 ? -0.1 : 0.1), // relu, elu and selu have a corner at 0
    })),
  );

function derivative(x: Node, { kind, order }: ActivationAttributes): Node {
  if (order < 3) return activation([x], { kind, order: order + 1 });
  throw new UnsupportedError({
    subject: `activation "${kind}"`,
    given: "a 4th derivative",
    expected: "at most the 3rd",
    remedy: "Nest no more than three jvp or vjp calls.",
  });
}
