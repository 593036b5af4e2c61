/** Few steps, each as long as the flow map allows: x + (e - s) U(x, s, e). */
import { ConfigError } from "../../errors.ts";
import type { Node } from "../../graph/node.ts";
import { choiceOption, integerOption, optionsObject } from "../../graph/options.ts";
import { add, less, minimum, multiply, negate, select } from "../../ops/arithmetic.ts";
import { broadcast, reshape } from "../../ops/shape.ts";
import { constant } from "../../ops/sources.ts";
import { MOST_APART } from "../divergence.ts";
import { type AverageField, averagesOf, mapLogDeterminant } from "../flow-map.ts";
import { gridPlan } from "./fixed-step.ts";
import { checkStops, timeColumn } from "./problem.ts";
import type { SolveProblem, Solver } from "./solver.ts";
import type { Step } from "./tableau.ts";

export const flowMapDensities = ["head", "exact"] as const;

export interface FlowMapStepsOptions {
  /** Steps from t = 0 to 1, of equal length, 1 to 1024; default 1. `times` of as many stops are the grid instead. */
  readonly steps?: number;
  /**
   * What log-densities are taken from. "head" (default where the network has one): log p_e = log p_s - (e - s) A, as good as
   * the head was trained, for nothing. "exact": ln |det(I + (e - s) dU/dx)| by D tangents, for D up to 64: the density of
   * what these very steps make, whatever they were trained to. Its value is NaN where the map is not invertible.
   */
  readonly density?: (typeof flowMapDensities)[number];
  /**
   * Of "exact": at how many ends on the way from s to e, the last among them, the determinant has to be positive; 1 to 64,
   * default 4. Each costs D tangents.
   */
  readonly checks?: number;
}

/**
 * Samples of a {@link flowMap} in a few evaluations, with their log-densities: `sample({ count, solver: flowMapSteps({ steps:
 * 2 }), logDensity: true })`. Backwards, for `encode` and `logDensity` of given points, the network must have been made with
 * `reverse`. `divergence` and `probes` of log-densities have no meaning here: leave them out.
 *
 * @throws {@link ConfigError} when an option is outside its range; from `plan`, when the field is no flow map's, such as a
 * guided one, has no head for what is asked, or is to go backwards and was not made for it.
 * @see docs/flow-maps.md
 */
export function flowMapSteps(options: FlowMapStepsOptions = {}): Solver {
  const known = ["steps", "density", "checks"] as const;
  const { steps = 1, density, checks } = optionsObject("options of flowMapSteps", options, known);
  integerOption("steps of flowMapSteps", steps, 1, 1024);
  if (density !== undefined) choiceOption("density of flowMapSteps", density, flowMapDensities);
  if (checks !== undefined) integerOption("checks of flowMapSteps", checks, 1, 64);
  return {
    name: "flow-map",
    options: { steps, ...(density && { density }), ...(checks && { checks }) },
    plan(problem) {
      const average = expectAverages(problem, density);
      const isExact = density === "exact" || !problem.field.made?.network.average?.divergence;
      if (checks && !isExact) refuseChecks(checks);
      const { rows, estimates } = problem;
      const spread = (growth: Node) => broadcast(negate(growth), [rows, estimates]);
      return gridPlan("flow-map", steps, problem, ({ x, time, next, size }) => {
        const [s, e] = [timeColumn(time, rows), timeColumn(next, rows)];
        const { velocity, divergence } = average(x, s, e);
        const step = { x: multiply(velocity, size) };
        if (estimates === 0) return step;
        if (isExact)
          return { ...step, logDensity: spread(checkedGrowth(average, { x, time, next, size }, checks ?? 4)) };
        return { ...step, logDensity: spread(multiply(divergence as Node, size)) };
      });
    },
  };
}

function refuseChecks(given: number): never {
  throw new ConfigError({
    subject: "checks of flowMapSteps",
    given,
    expected: "none beside the head's density, which takes no determinant",
    remedy: 'Leave it out, or give density: "exact".',
  });
}

/** ln |det| of the step's map [S, 1], NaN where it is not invertible at each of the ends on the way. */
function checkedGrowth(average: AverageField, { x, time, size }: Step, checks: number): Node {
  const s = timeColumn(time, x.shape[0] as number);
  const all = Array.from({ length: checks }, (_, i) => {
    const e = add(s, multiply(reshape(size, [1, 1]), (i + 1) / checks));
    return mapLogDeterminant(average(x, s, e).velocity, x, s, e);
  });
  const least = all.map(({ sign }) => sign).reduce((a, b) => minimum(a, b));
  return select(less(0, least), all.at(-1)?.logarithm ?? 0, constant(Number.NaN));
}

function expectAverages(problem: SolveProblem, density: FlowMapStepsOptions["density"]): AverageField {
  const { field, estimates, dimension, stops } = problem;
  checkStops(stops);
  const average = averagesOf(field.made);
  const subject = "solver flow-map";
  if (!average) {
    const hasOutput = field.made?.network.own !== undefined;
    throw new ConfigError({
      subject,
      given: hasOutput
        ? "a model of a path on which the network's output is no velocity, such as withOutput()'s"
        : "a field that is no flow map's",
      expected: hasOutput
        ? "a flow map on the path itself: it averages what the network gives"
        : "a model of flowMap({ network }), not guided",
      remedy: `Take dopri5() or another solver of the flow, or train a flow map by meanFlow()${hasOutput ? " on condOT(), say" : ""}.`,
    });
  }
  const { divergence, reverse } = field.made?.network.average ?? {};
  if (!reverse && (stops[1] as number) < (stops[0] as number)) {
    throw new ConfigError({
      subject,
      given: "a start s after the end e",
      expected: "s before e: this flow map was not made for the way back",
      remedy: "Train flowMap({ reverse: true }), or take dopri5(), which solves U(x, t, t) either way.",
    });
  }
  if (estimates === 0) return average;
  const exact = density === "exact" || (density === undefined && !divergence);
  if (!exact && !divergence) {
    throw new ConfigError({
      subject: "density of flowMapSteps",
      given: '"head" for a flow map without one',
      expected: '"exact"',
      remedy: "Train flowMap({ divergence: true }), or take the exact one.",
    });
  }
  if (exact && dimension > MOST_APART) {
    throw new ConfigError({
      subject: "density of flowMapSteps",
      given: `"exact" in ${dimension} dimensions`,
      expected: `at most ${MOST_APART}: it takes a tangent for each`,
      remedy: "Take the head's, or the log-density of the flow by dopri5().",
    });
  }
  if (field.estimator !== undefined || estimates > 1) {
    const probes = `${estimates} probe${estimates === 1 ? "" : "s"}`;
    throw new ConfigError({
      subject: "logDensity beside flowMapSteps",
      given: field.estimator === undefined ? probes : `divergence "${field.estimator}" by ${probes}`,
      expected: "no choice of divergence: the flow map has its own",
      remedy: "Give logDensity: true.",
    });
  }
  return average;
}
