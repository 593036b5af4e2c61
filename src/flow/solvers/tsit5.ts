import type { StateDeclaration } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import { add, divide, equal, multiply, select, subtract } from "../../ops/arithmetic.ts";
import { state } from "../../ops/sources.ts";
import { type AdaptiveOptions, adaptive, type DenseOutput, type EmbeddedMethod } from "./adaptive.ts";
import { pointState } from "./problem.ts";
import type { Solver } from "./solver.ts";
import { weightedSum } from "./tableau.ts";

/** x at a part theta of the step is x + h sum_i b_i(theta) k_i; row i is b_i's factors of theta, theta^2, theta^3, theta^4. */
export const denseWeights: readonly (readonly [number, number, number, number])[] = [
  [1, -2.763706197274826, 2.9132554618219126, -1.0530884977290216],
  [0, 0.1317, -0.2234, 0.1017],
  [0, 3.9302962368947516, -5.941033872131505, 2.490627285651253],
  [0, -12.411077166933676, 30.33818863028232, -16.548102889244902],
  [0, 37.50931341651104, -88.1789048947664, 47.37952196281928],
  [0, -27.896526289197286, 65.09189467479366, -34.87065786149661],
  [0, 1.5, -4, 2.5],
];

const POWERS = [0, 1, 2, 3] as const;

/** The last step's start, the factors of the powers of theta [S, D] each, and both its times [1]. */
const dense: DenseOutput = {
  states: ({ rows, dimension }) => [
    ...["start", ...POWERS].map(
      (name): StateDeclaration => ({ name: `solve.dense.${name}`, shape: [rows, dimension], dtype: "f32" }),
    ),
    ...["from", "to"].map((name): StateDeclaration => ({ name: `solve.dense.${name}`, shape: [1], dtype: "f32" })),
  ],
  values({ x, time, next, size }, stages) {
    const velocities = stages.map(({ velocity }) => velocity);
    const factors = POWERS.map((power) =>
      multiply(
        weightedSum(
          denseWeights.map((row) => row[power]),
          velocities,
        ) as Node,
        size,
      ),
    );
    return [x, ...factors, time, next];
  },
  read(problem) {
    const [start, one, two, three, four, from, to] = this.states(problem).map(state) as [
      Node,
      Node,
      Node,
      Node,
      Node,
      Node,
      Node,
    ];
    const at = state({ name: "solve.at", shape: [1], dtype: "f32" });
    const theta = divide(subtract(at, from), subtract(to, from));
    const powers = [four, three, two, one].reduce((sum, factor) => multiply(add(sum, factor), theta), multiply(one, 0));
    // Where the solve has come to, also before its first step, the points are at hand.
    const x = state(pointState(problem));
    const there: StateDeclaration = { name: "solve.there", shape: x.shape, dtype: "f32" };
    const value = select(equal(at, to), x, add(start, powers));
    return { name: "tsit5-dense", updates: [{ state: there, value }] };
  },
  initial: ({ stops }) => new Map([["solve.dense.to", [stops[0] as number]]]),
};

/** Tsitouras' method of order 5 with an embedded error estimate of order 4 and dense output of order 4. */
export const tsitouras: EmbeddedMethod = {
  tableau: {
    a: [
      [],
      [0.161],
      [-0.008480655492356989, 0.335480655492357],
      [2.8971530571054935, -6.359448489975075, 4.3622954328695815],
      [5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525],
      [5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383],
      [0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774],
    ],
    b: [0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774, 0],
    c: [0, 0.161, 0.327, 0.9, 0.9800255409045097, 1, 1],
  },
  errorWeights: [
    0.001780011052225777, 0.0008164344596567469, -0.007880878010261995, 0.1447110071732629, -0.5823571654525552,
    0.45808210592918697, -0.015151515151515152,
  ],
  errorOrder: 5,
  dense,
};

/**
 * Tsitouras 5(4), with dense output: times between the ends cost no steps, they are read from the method's own polynomial of
 * order 4, where {@link dopri5} ends a step at each. Errors and options are dopri5's; six evaluations of the field an attempt.
 *
 * @throws {@link ConfigError} when an option is outside its range.
 * @see Tsitouras, Runge-Kutta pairs of order 5(4) satisfying only the first column simplifying assumption (2011).
 */
export function tsit5(options: AdaptiveOptions = {}): Solver {
  return adaptive("tsit5", tsitouras, options);
}
