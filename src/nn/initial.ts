/** How parameters start, by name: what layers and declarations take as `initial`. */
import { f32Option } from "../graph/options.ts";
import type { Initial } from "./network.ts";

/** U(-bound, bound). */
export function uniform(bound: number): Initial {
  return { kind: "uniform", bound: f32Option("bound of uniform", bound, { minimum: 0, open: "minimum" }) };
}

/** N(0, deviation^2). */
export function normal(deviation: number): Initial {
  return { kind: "normal", deviation: f32Option("deviation of normal", deviation, { minimum: 0, open: "minimum" }) };
}

/** One number. */
export function constant(value: number): Initial {
  return { kind: "constant", value: f32Option("value of constant", value) };
}

/** 0, with which a layer is no part of its network until it is trained. */
export const zeros: Initial = { kind: "constant", value: 0 };

/** 1: of norms. */
export const ones: Initial = { kind: "constant", value: 1 };

/**
 * As nn.Linear, nn.Conv1d and nn.Conv2d start, weight and bias alike: U(-1 / sqrt(inputs), 1 / sqrt(inputs)).
 *
 * @param inputs - numbers that one output reads; of a convolution taps times channels.
 */
export function torchLinear(inputs: number): Initial {
  return uniform(1 / Math.sqrt(inputs));
}

/** Glorot and Bengio (2010), nn.init.xavier_uniform_: U(-b, b), b = sqrt(6 / (inputs + outputs)). */
export function xavierUniform(inputs: number, outputs: number): Initial {
  return uniform(Math.sqrt(6 / (inputs + outputs)));
}
