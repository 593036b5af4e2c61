/**
 * What a solver is: the graph of ONE step of dx/dt = v(x, t) over state, and the plan by which a runner repeats it. The
 * runner (engine/) owns the memory and submits many steps at once; nothing here runs.
 */
import type { Graph, StateDeclaration } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import type { NamedOptions } from "../../graph/options.ts";
import type { MadeOf } from "../losses/loss.ts";
import type { BareNetwork } from "../network-field.ts";
import type { PathScheduler } from "../paths/path.ts";
import type { Tableau } from "./tableau.ts";

/** A field at some points. */
export interface FieldValue {
  /** v [S, D]. */
  readonly velocity: Node;
  /** Estimates of div v, one column each [S, P]; undefined where no log-density is asked for. */
  readonly divergences: Node | undefined;
}

/** The field at points x [S, D] and times t [S, 1]. */
export interface Field {
  (x: Node, t: Node): FieldValue;
  /** The network that the velocity is, where it is one and nothing else. */
  readonly bare?: BareNetwork | undefined;
  /** What the velocity is made of, where it is a network's: solvers that go by flow maps need it. */
  readonly made?: MadeOf | undefined;
  /** How its divergence is estimated, where it is not exact: solvers that take log-densities otherwise refuse it. */
  readonly estimator?: string | undefined;
}

export interface SolveProblem {
  readonly field: Field;
  /** Number of points, S. */
  readonly rows: number;
  /** Numbers per point, D. */
  readonly dimension: number;
  /** Number P of estimates of the log-density carried along; 0: none. */
  readonly estimates: number;
  /**
   * Times in order, at least two, rising or falling: the solve starts at the first, and x can be read at each. Solvers
   * with fixed steps spread theirs over the intervals by length, at least one each: with as many stops as steps, the
   * stops are the grid.
   */
  readonly stops: readonly number[];
  /** The path whose marginals the field carries; solvers that add noise on the way need it. */
  readonly path?: PathScheduler;
  /** Of fields with a score: E[z | x] [S, D] at points [S, D] and times [S, 1], the score times -std. */
  readonly noise?: ((x: Node, t: Node) => Node) | undefined;
}

/** What leads from one stop to the next. */
export interface SolveSegment {
  /** Values to write before it, by state name. */
  readonly writes: ReadonlyMap<string, readonly number[]>;
  /** How many runs of `step`; undefined: until the progress says so (see {@link SolvePlan.progress}). */
  readonly steps: number | undefined;
}

/** 0 running, 1 at the stop, 2 step too small, 3 too many steps, 4 not finite. */
export type SolveStatus = 0 | 1 | 2 | 3 | 4;

export interface SolveProgress {
  readonly status: SolveStatus;
  readonly time: number;
  /** The size of the next step. */
  readonly stepSize: number;
  readonly accepted: number;
  readonly rejected: number;
}

/**
 * How to run a solve: write x to state "solve.x" [S, D], zeros (or log-densities) to "solve.logDensity" [S, P] when
 * P > 0, and `initial`; run `start` once where there is one; then for each segment write its values and run `step`.
 * Afterwards "solve.x" is x at the segment's stop and "solve.logDensity" has gained -integral of div v dt from the start.
 */
export interface SolvePlan {
  /** The states that `start` and `step` own, "solve.x" and "solve.logDensity" among them. */
  readonly state: readonly StateDeclaration[];
  readonly initial: ReadonlyMap<string, ArrayLike<number>>;
  readonly start: Graph | undefined;
  /** One step, or one attempt at a step. */
  readonly step: Graph;
  readonly segments: readonly SolveSegment[];
  /**
   * Adaptive solvers: reads how far it is from the values of one state. Runs after a stop is reached change nothing. After
   * `mostRuns` runs in a segment the solve has ended or failed.
   */
  readonly progress:
    | { readonly state: string; readonly mostRuns: number; read(values: ArrayLike<number>): SolveProgress }
    | undefined;
  /**
   * Solvers with dense output: steps may go beyond a stop between the ends. There write the stop to "solve.at" and run
   * this, which writes the points of that time to "solve.there"; "solve.x" is where the solve has come to.
   */
  readonly dense?: Graph;
  /** Solvers with fixed steps: `step` is one of this method along the intervals in "solve.intervals". */
  readonly tableau?: Tableau;
  /** What `step` follows; see {@link Field.bare}. */
  readonly field?: Field;
}

export interface Solver extends NamedOptions {
  /** Whether it draws noise on the way, so that samples do not follow from their starts alone. */
  readonly noisy?: boolean;
  /** @throws {@link ConfigError} when the stops are not finite, fewer than two, or neither rising nor falling. */
  plan(problem: SolveProblem): SolvePlan;
}
