/** Cases of guidance: `classifier-guidance`, `classifier-free-guidance` and `event-guidance`. */

import {
  eventEstimate,
  guidanceCoefficient,
  guidedVelocity,
  rowGradient,
  type SampleFunction,
  tweedie,
} from "../../flow/guidance/by-function.ts";
import { combined } from "../../flow/guidance/classifier-free.ts";
import type { Node } from "../../graph/node.ts";
import { add, multiply, subtract } from "../../ops/arithmetic.ts";
import { matmul } from "../../ops/matmul.ts";
import { sum } from "../../ops/reduce.ts";
import { slice, transpose } from "../../ops/shape.ts";
import { mixtureAt, mixtureInputs, pathAttributes, perRow } from "./mixture-case.ts";
import { quantitiesCase } from "./quantities.ts";

export const classifierCase = quantitiesCase({
  attributes: [...pathAttributes, "label", "strength"],
  inputs: [...mixtureInputs, "x", "t"],
  make(reader) {
    const { count, x, at, marginal } = mixtureAt(reader);
    const label = reader.attributes.integer("label", count - 1, 0);
    const strength = reader.attributes.number("strength");
    const { velocity, score, logResponsibilities } = marginal;
    const logProbability = slice(logResponsibilities, 1, label, label + 1);
    const gradient = rowGradient(logProbability, x);
    return {
      nodes: {
        logProbability: perRow(logProbability),
        logProbabilityGradient: gradient,
        coefficient: perRow(guidanceCoefficient(at)),
        velocity,
        guidedVelocityUnit: guidedVelocity(velocity, gradient, at, 1),
        guidedVelocity: guidedVelocity(velocity, gradient, at, strength),
        guidedScore: add(score, multiply(gradient, strength)),
      },
    };
  },
});

const form = "v = unconditional + w (conditional - unconditional)";

export const classifierFreeCase = quantitiesCase({
  attributes: ["form"],
  inputs: ["unconditional", "conditional", "strengths"],
  make(reader) {
    reader.attributes.choice("form", [form]);
    const without = reader.tensor("unconditional");
    const strengths = reader.tensor("strengths");
    if (strengths.shape.length !== 1) reader.inputs.refuse("strengths.shape", strengths.shape, "[S]");
    const told = reader.node("conditional", reader.tensor("conditional", without.shape));
    const each = [...strengths.shape, ...without.shape.map(() => 1)];
    return {
      nodes: {
        velocity: combined(reader.node("unconditional", without), told, reader.node("strengths", strengths, each)),
      },
    };
  },
});

export const eventCase = quantitiesCase({
  attributes: [...pathAttributes, "slope", "offset"],
  inputs: [...mixtureInputs, "x", "t", "c", "Q", "threshold"],
  make(reader) {
    const { x, at, marginal } = mixtureAt(reader);
    const dimension = x.shape[1] as number;
    const options = { slope: reader.attributes.positive("slope"), offset: reader.attributes.positive("offset") };
    const direction = reader.node("c", reader.tensor("c", [dimension]), [1, dimension]);
    const matrix = transpose(reader.node("Q", reader.tensor("Q", [dimension, dimension])), [1, 0]);
    const threshold = reader.node("threshold", reader.tensor("threshold", []), [1, 1]);
    const statistic: SampleFunction = (samples) => {
      const slope = add(direction, multiply(matmul(samples, matrix), 0.5)); // C = (c + Q x / 2) . x - threshold
      return subtract(sum(multiply(samples, slope), [1]), threshold);
    };
    const { velocity, score } = marginal;
    const denoised = tweedie(velocity, x, at);
    const held = eventEstimate(statistic, denoised, x, at, options);
    const full = eventEstimate(statistic, denoised, x, at, { ...options, std: "full" });
    const guided = (gradient: Node) => guidedVelocity(velocity, gradient, at, 1);
    return {
      nodes: {
        ...{ score, denoised },
        statistic: perRow(held.statistic),
        statisticGradient: held.statisticGradient,
        composedGradient: held.composedGradient,
        std: perRow(held.std),
        logProbability: perRow(held.logProbability),
        guidanceStdHeld: held.gradient,
        guidanceFull: full.gradient,
        guidedVelocityStdHeld: guided(held.gradient),
        guidedVelocityFull: guided(full.gradient),
      },
    };
  },
});
