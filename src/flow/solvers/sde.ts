/**
 * Solvers that add noise on the way. Beside dx = v dt there are stochastic equations with the same marginals p_t, one for
 * each g(t) >= 0 (Song et al., Score-Based Generative Modeling through SDEs, 2021; Albergo et al., Stochastic Interpolants, 2023):
 *   dx = (v + g^2 / 2 grad log p_t) dt + g dW.
 * The score is taken from the velocity by the path's relation, grad log p_t = -E[x0 | x] / sigma with
 *   E[x0 | x] = (alpha' x - alpha v) / (alpha' sigma - sigma' alpha),
 * which is exact for the true velocity alone; of a learned one the marginals differ by as much as that is off. A model that
 * has a score of its own (`withScore`) gives E[x0 | x] itself, or on a Brownian bridge that of the bridge's noise, sigma being its std.
 *
 * The drift's second part is -q E[x0 | x], q = g^2 / (2 sigma): where g^2 is in proportion to sigma nothing is singular at
 * t = 1, where sigma is 0.
 */

import { ConfigError } from "../../errors.ts";
import { evaluate } from "../../graph/evaluate.ts";
import type { Node } from "../../graph/node.ts";
import { integerOption, optionsObject } from "../../graph/options.ts";
import {
  abs,
  add,
  divide,
  equal,
  less,
  maximum,
  multiply,
  select,
  sqrt,
  square,
  subtract,
} from "../../ops/arithmetic.ts";
import { random } from "../../ops/random.ts";
import { reshape } from "../../ops/shape.ts";
import { constant, state } from "../../ops/sources.ts";
import { streamOf } from "../../ops/streams.ts";
import type { PathScheduler, PathValues } from "../paths/path.ts";
import { type Diffusion, diffusionOption, type PlainDiffusion, tableAt } from "./diffusion.ts";
import { gridPlan, stepState } from "./fixed-step.ts";
import { checkStops, noiseState, timeColumn } from "./problem.ts";
import type { SolveProblem, Solver } from "./solver.ts";
import type { Step } from "./tableau.ts";

export interface SDEOptions {
  /** Steps from t = 0 to 1, 1 to 1,000,000; default 250. */
  readonly steps?: number;
  /** g(t); default { kind: "sigma", strength: 1 }. */
  readonly diffusion?: Diffusion;
}

/**
 * Euler and Maruyama's method: x + (v - q E[x0 | x]) h + g sqrt(h) z, z ~ N(0, I). One evaluation of the field a step;
 * its samples' distribution is right to order 1.
 *
 * For `sample` alone: equal seeds give equal samples on one backend. What is solved backwards or with its log-density
 * needs a solver of dx = v dt.
 *
 * @throws {@link ConfigError} when an option is outside its range; from `plan`, when asked for log-densities or backwards.
 */
export function eulerMaruyama(options: SDEOptions = {}): Solver {
  return stochastic("euler-maruyama", options, ({ at, step, noise }) => {
    const { drift, spread } = at(step.x, step.time);
    return add(multiply(drift, step.size), multiply(spread, noise));
  });
}

/**
 * Heun's method with noise: the mean of the drifts at both ends of a step of {@link eulerMaruyama}, and of the g there. Two
 * evaluations of the field a step; its samples' distribution is right to order 2. A step that ends where sigma is 0 is one of
 * Euler's, as the drift there may be none.
 *
 * @throws {@link ConfigError} as {@link eulerMaruyama} does.
 */
export function stochasticHeun(options: SDEOptions = {}): Solver {
  return stochastic("stochastic-heun", options, ({ at, step, noise, ends }) => {
    const first = at(step.x, step.time);
    const euler = add(multiply(first.drift, step.size), multiply(first.spread, noise));
    const second = at(add(step.x, euler), step.next);
    const both = multiply(add(first.drift, second.drift), multiply(step.size, 0.5));
    const heun = add(both, multiply(multiply(add(first.spread, second.spread), 0.5), noise));
    return select(ends, euler, heun);
  });
}

interface Stochastic {
  readonly step: Step;
  /** sqrt(h) z [S, D]. */
  readonly noise: Node;
  /** 1 where sigma is 0 at the step's end [1, 1]. */
  readonly ends: Node;
  /** Drift [S, D] and g [1, 1] at points and a time [1]. */
  at(x: Node, time: Node): { readonly drift: Node; readonly spread: Node };
}

function stochastic(name: string, options: SDEOptions, changeOf: (parts: Stochastic) => Node): Solver {
  const { steps = 250, diffusion } = optionsObject(`options of ${name}`, options, ["steps", "diffusion"]);
  integerOption(`steps of ${name}`, steps, 1, 1_000_000);
  const plain = diffusionOption(`diffusion of ${name}`, diffusion);
  return {
    name,
    options: { steps, diffusion: plain },
    noisy: true,
    plan(problem) {
      const path = expectSampling(name, problem);
      if (plain.kind === "reverse") expectReverse(name, path);
      if (path.std && !problem.noise) throw noScore(name, path);
      const { rows, dimension } = problem;
      const stepped = gridPlan(name, steps, problem, (step) => {
        const source = { seed: state(noiseState), counter: state(stepState), stream: streamOf("diffusion") };
        const noise = multiply(random("normal", [rows, dimension], source), reshape(sqrt(step.size), [1, 1]));
        const at: Stochastic["at"] = (x, time) => {
          const t = reshape(time, [1, 1]);
          const values = path.at(t);
          const column = timeColumn(time, rows);
          const { velocity } = problem.field(x, column);
          const { pull, spread } = coefficients(plain, path.std ? { ...values, sigma: path.std(t) } : values, t);
          const noise = problem.noise?.(x, column) ?? expectedNoise(values, x, velocity);
          return { drift: subtract(velocity, multiply(pull, noise)), spread };
        };
        const ends = equal(path.at(reshape(step.next, [1, 1])).sigma, 0);
        return { x: changeOf({ step, noise, ends, at }) };
      });
      return { ...stepped, state: [...stepped.state, noiseState] };
    },
  };
}

function noScore(name: string, path: PathScheduler): ConfigError {
  return new ConfigError({
    subject: `solver ${name}`,
    given: `path ${path.name}, and a model without a score`,
    expected: "a network that has one: on this path no velocity gives it",
    remedy:
      "Train withScore(network, score) by scoreMatching(), or take a solver of the flow itself, such as dopri5().",
  });
}

function expectSampling(name: string, { estimates, stops, path }: SolveProblem): PathScheduler {
  checkStops(stops);
  if (path && estimates === 0 && (stops[0] as number) < (stops[1] as number)) return path;
  throw new ConfigError({
    subject: `solver ${name}`,
    given: estimates > 0 ? "a log-density to compute" : path ? "a solve backwards" : "no path",
    expected: "samples alone: noise on the way has no way back, and no log-density along it",
    remedy: "Take a solver of the flow itself, such as dopri5() or heun().",
  });
}

/** alpha' / alpha must be a number at t = 0. */
function expectReverse(name: string, path: PathScheduler): void {
  const { alpha } = path.at(constant(0, [1, 1]));
  if ((evaluate([alpha])[0]?.data[0] as number) > 0) return;
  throw new ConfigError({
    subject: `diffusion of ${name}`,
    given: `"reverse" on path ${path.name}, whose alpha is 0 at t = 0`,
    expected: "a path whose alpha is above 0 there, such as ve() or vp()",
    remedy: 'Take { kind: "sigma" }, or a function of t.',
  });
}

/** E[x0 | x] [S, D] by the velocity; where alpha and its rate are both 0, x is all noise. */
function expectedNoise({ alpha, sigma, alphaRate, sigmaRate }: PathValues, x: Node, velocity: Node): Node {
  const determinant = subtract(multiply(alphaRate, sigma), multiply(sigmaRate, alpha));
  const isNone = less(abs(determinant), LEAST);
  const moved = subtract(multiply(alphaRate, x), multiply(alpha, velocity));
  return select(isNone, divide(x, sigma), divide(moved, select(isNone, 1, determinant)));
}

/** q = g^2 / (2 sigma) and g at a time [1, 1]. */
function coefficients(diffusion: PlainDiffusion, { alpha, sigma, alphaRate, sigmaRate }: PathValues, t: Node) {
  switch (diffusion.kind) {
    case "sigma":
      return { pull: constant(diffusion.strength / 2, [1, 1]), spread: sqrt(multiply(sigma, diffusion.strength)) };
    case "reverse": {
      const rate = subtract(divide(multiply(sigma, alphaRate), alpha), sigmaRate);
      const pull = multiply(rate, diffusion.strength);
      return { pull, spread: sqrt(multiply(multiply(sigma, pull), 2)) };
    }
    case "table": {
      const spread = tableAt(diffusion.values, t);
      return { pull: divide(square(spread), multiply(maximum(sigma, LEAST), 2)), spread };
    }
  }
}

/** What is less counts as 0 in divisions; its inverse is an f32. */
const LEAST = 1e-30;
