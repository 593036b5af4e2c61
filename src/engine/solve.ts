/** A solve on a device: the programs of one solver, number of points and list of stops, to be run again and again. */
import type { Executable, NumericArray } from "../backends/backend.ts";
import { onDemand } from "../backends/on-demand.ts";
import { UnsupportedError } from "../errors.ts";
import {
  chunkState,
  type DivergenceOptions,
  drawPrior,
  estimateCount,
  finishLogDensity,
  seedState,
  startLogDensity,
  velocityOnly,
  withDivergence,
} from "../flow/likelihood.ts";
import type { VelocityField } from "../flow/losses/loss.ts";
import { expectedNoise } from "../flow/network-field.ts";
import type { PathScheduler } from "../flow/paths/path.ts";
import { throwOnFailure } from "../flow/solvers/failure.ts";
import { noiseState } from "../flow/solvers/problem.ts";
import type { SolvePlan, Solver, SolveSegment } from "../flow/solvers/solver.ts";
import type { WholeNetworkPlan } from "../flow/whole-network.ts";
import type { Graph, StateDeclaration } from "../graph/graph.ts";
import type { Network } from "../nn/network.ts";
import { streamOf } from "../ops/streams.ts";
import { randomBits, seedOf } from "../ops/threefry.ts";
import type { Guide } from "./guide.ts";
import { loaded } from "./loaded.ts";
import { Pace, runPaced } from "./pace.ts";
import type { StillWanted } from "./plan.ts";
import { expectSolveFits } from "./sizes.ts";
import { StateStore } from "./state-store.ts";
import { toldStates } from "./told.ts";
import type { CountedSteps } from "./whole-network.ts";

export interface SolveSettings {
  /** Of the network, or made of it. */
  readonly field: VelocityField;
  readonly network: Network;
  readonly path: PathScheduler;
  readonly solver: Solver;
  /** Points at once, S. */
  readonly rows: number;
  /** Numbers per point, D. */
  readonly dimension: number;
  readonly stops: readonly number[];
  /** How to estimate the log-density; undefined: not at all. */
  readonly divergence: Required<DivergenceOptions> | undefined;
  /** "sample": from fresh noise at t = 0; "decode": from given noise there; "encode": from given points at t = 1. */
  readonly task: "sample" | "decode" | "encode";
  /** Whether the field reads a strength of guidance, and so evaluates the network twice for each point. */
  readonly guided: boolean;
  /** What else guides the field: its states, and what runs before the steps. */
  readonly guide?: Guide | undefined;
}

/** What one batch of points is solved from. Random numbers follow from both numbers. */
export interface SolveInput {
  readonly seed: number;
  /** Number of the batch. */
  readonly chunk: number;
  /** Points [S, D] in model units, where the task does not draw them. */
  readonly points?: NumericArray;
  /** What the points are told: contents of {@link toldStates}. */
  readonly told?: ReadonlyMap<string, NumericArray>;
  /** Told now and then which part of the way is gone: 0 at the start, 1 at the end. */
  readonly onProgress?: ((part: number) => void) | undefined;
}

/**
 * Attempts of an adaptive solver between two looks at its status. Runs after the end is reached are wasted, looks wait
 * for the device: some tens of attempts make a solve.
 */
const MOST_ATTEMPTS = 16;

/** See {@link SolvePlan.dense}. */
const timeWithin: StateDeclaration = { name: "solve.at", shape: [1], dtype: "f32" };

/** "solve.x" is at the stop of this number. */
export type AtStop = (stop: number, solve: Solve) => Promise<void>;

interface Plans {
  readonly stepwise: SolvePlan;
  /** The same for whole networks, with what runs them. */
  readonly whole: { readonly plan: WholeNetworkPlan; readonly kind: typeof import("./whole-network.ts") } | undefined;
}

export class Solve {
  readonly #settings: SolveSettings;
  readonly #store: StateStore;
  readonly #plan: SolvePlan;
  /** The plan again, when one run of the step is a run of the whole network over many steps. */
  readonly #whole: WholeNetworkPlan | undefined;
  readonly #pace = new Pace();
  #step!: Executable;
  /** The same, where it has to know which steps it takes. */
  #counted: CountedSteps | undefined;
  /** Runs once before the steps: draws the noise, works out a first step size. */
  readonly #before: Executable[] = [];
  /** Runs once after them. */
  readonly #after: Executable[] = [];
  /** Runs at each stop between the ends, where steps go beyond it. */
  #dense: Executable | undefined;
  /** Whether it has just run. */
  #within = false;

  private constructor(
    settings: SolveSettings,
    store: StateStore,
    plan: SolvePlan,
    whole: WholeNetworkPlan | undefined,
  ) {
    this.#settings = settings;
    this.#store = store;
    this.#plan = whole ?? plan;
    this.#whole = whole;
  }

  /** @param shared - holds the parameters that the field reads. */
  static async build(shared: StateStore, settings: SolveSettings, stillWanted: StillWanted): Promise<Solve> {
    const { field, network, path, solver, rows, dimension, stops, divergence, guided, guide } = settings;
    const estimates = divergence ? estimateCount(divergence) : 0;
    const passes = (guided ? 2 : 1) * (guide?.passes ?? 1);
    expectSolveFits({ network, solver, rows: passes * rows, divergence }, shared.backend.limits);
    const by = divergence?.estimator === "hutch++" && (await onDemand(import("../flow/hutch-plus-plus.ts")));
    const stepwise = solver.plan({
      ...{ rows, dimension, estimates, path, noise: expectedNoise(field) },
      field: divergence ? (by ? by.withHutchPlusPlus : withDivergence)(field, divergence) : velocityOnly(field),
      stops,
    });
    const { limits } = shared.backend;
    if (limits.optionalKernels?.includes("mlpFlow") && stepwise.tableau && stepwise.field?.bare) {
      try {
        const kind = await onDemand(import("./whole-network.ts"));
        const plan = kind.planWhole(stepwise, { ...settings, estimates }, limits);
        if (plan) return await Solve.#load(shared, settings, { stepwise, whole: { plan, kind } }, stillWanted);
      } catch (error) {
        // The kernel of whole networks is large: a compiler that refuses it may still take those of single layers, and
        // they are there where it can no longer be downloaded.
        if (!(error instanceof UnsupportedError)) throw error;
      }
    }
    return Solve.#load(shared, settings, { stepwise, whole: undefined }, stillWanted);
  }

  static async #load(
    shared: StateStore,
    settings: SolveSettings,
    { stepwise, whole }: Plans,
    stillWanted: StillWanted,
  ): Promise<Solve> {
    const { network, path, rows, dimension, divergence, task, guided, guide } = settings;
    const points = { rows, dimension, estimates: divergence ? estimateCount(divergence) : 0 };
    // Asked for first: where there is no Gaussian noise it is refused, before anything is planned.
    const deviation = task === "sample" || divergence ? path.priorDeviation : 1;
    const store = new StateStore(shared.backend);
    const solve = new Solve(settings, store, stepwise, whole?.plan);
    const load = (graph: Graph) => loaded(shared, store, graph, stillWanted, whole?.kind.flowUnit);
    const packed = (graph: Graph) => whole?.plan.packed(graph) ?? graph;
    try {
      const plan = solve.#plan;
      store.declare([
        ...plan.state,
        seedState,
        chunkState,
        ...toldStates(network, rows, guided),
        ...(guide?.states(rows) ?? []),
      ]);
      if (task === "sample") solve.#before.push(await load(packed(drawPrior(points, deviation))));
      if (task === "decode" && divergence) {
        solve.#before.push(await load(packed(startLogDensity(points, deviation))));
      }
      const kept = guide?.before(rows);
      if (kept) solve.#before.push(await load(kept));
      if (plan.start) solve.#before.push(await load(plan.start));
      if (plan.dense) {
        store.declare([timeWithin]);
        solve.#dense = await load(plan.dense);
      }
      const step = await load(plan.step);
      if (whole) {
        const { range } = whole.plan;
        solve.#counted = new whole.kind.CountedSteps(step, (steps) => store.write(range.name, steps));
      }
      solve.#step = solve.#counted ?? step;
      if (task === "encode" && divergence) {
        solve.#after.push(await load(packed(finishLogDensity(points, deviation))));
      }
      return solve;
    } catch (error) {
      solve.dispose();
      throw error;
    }
  }

  /**
   * Solves from the first stop to the last and calls `atStop` at each. Stops within one submission of an abort.
   *
   * @throws {@link StiffnessError}, {@link NumericError} when an adaptive solver fails, or the signal's reason.
   */
  async run(
    { seed, chunk, points, told, onProgress }: SolveInput,
    signal: AbortSignal | undefined,
    atStop: AtStop,
  ): Promise<void> {
    const store = this.#store;
    const { divergence, stops } = this.#settings;
    const [first, last] = [stops[0] as number, stops[stops.length - 1] as number];
    signal?.throwIfAborted();
    store.write(seedState.name, Uint32Array.from(seedOf(seed)));
    store.write(chunkState.name, Uint32Array.of(chunk));
    if (this.#plan.state.includes(noiseState)) {
      store.write(noiseState.name, randomBits(seedOf(seed), streamOf("batches"), chunk, 2));
    }
    if (points) this.#writePart("solve.x", points);
    for (const [name, values] of told ?? []) this.#write(name, values);
    if (divergence) this.#writePart("solve.logDensity", new Float32Array(this.#lengthOf("solve.logDensity")));
    if (this.#whole) this.#clearLost(this.#whole.flow);
    this.#within = false;
    onProgress?.(0);
    this.#counted?.restart();
    for (const [name, values] of this.#plan.initial) this.#write(name, values);
    for (const executable of this.#before) await runPaced(store.backend, executable, 1, new Pace());
    await atStop(0, this);
    for (const [i, segment] of this.#plan.segments.entries()) {
      for (const [name, values] of segment.writes) this.#write(name, values);
      const from = stops[i] as number;
      const to = stops[i + 1] as number;
      await this.#cross(segment, from, to, signal, (time) => onProgress?.((time - first) / (last - first)));
      const isLast = i === this.#plan.segments.length - 1;
      if (isLast) for (const executable of this.#after) await runPaced(store.backend, executable, 1, new Pace());
      this.#within = !isLast && this.#dense !== undefined;
      if (this.#within) {
        this.#write(timeWithin.name, [to]);
        await runPaced(store.backend, this.#dense as Executable, 1, new Pace());
      }
      await atStop(i + 1, this);
    }
    onProgress?.(1);
  }

  /** The points [S, D] where they are now, in model units. */
  points(): Promise<NumericArray> {
    return this.#within ? this.#store.read("solve.there") : this.#readPart("solve.x");
  }

  /** Estimates of the log-density [S, P]. */
  estimates(): Promise<NumericArray> {
    return this.#readPart("solve.logDensity");
  }

  dispose(): void {
    for (const executable of [...this.#before, this.#step, this.#dense, ...this.#after]) executable?.dispose();
    this.#store.dispose();
  }

  /** Runs steps up to the segment's end, and tells the time reached. */
  async #cross(
    { steps }: SolveSegment,
    from: number,
    to: number,
    signal: AbortSignal | undefined,
    tell: (time: number) => void,
  ): Promise<void> {
    const { backend } = this.#store;
    const { progress } = this.#plan;
    if (steps !== undefined || !progress) {
      const runs = steps ?? 0;
      const enough = (done: number) => {
        tell(from + (done / runs) * (to - from));
        return false;
      };
      await runPaced(backend, this.#step, runs, this.#pace, { signal, enough });
      signal?.throwIfAborted();
      return;
    }
    for (let done = 0; ; ) {
      const attempts = Math.min(this.#pace.runs, MOST_ATTEMPTS);
      await runPaced(backend, this.#step, attempts, this.#pace, { signal });
      done += attempts;
      signal?.throwIfAborted();
      const now = progress.read(await this.#store.read(progress.state));
      throwOnFailure(now);
      tell(now.time);
      if (now.status === 1) return;
      // The device counts too; but no solve is held by a status that its arithmetic has lost.
      if (done >= progress.mostRuns) throwOnFailure({ ...now, status: 3 });
    }
  }

  /** Elements of the points or their log-densities. */
  #lengthOf(part: "solve.x" | "solve.logDensity"): number {
    const { rows, dimension, divergence } = this.#settings;
    return rows * (part === "solve.x" ? dimension : divergence ? estimateCount(divergence) : 0);
  }

  /** The state that holds the points or their log-densities, and where it does. */
  #placeOf(part: "solve.x" | "solve.logDensity"): readonly [name: string, offset: number] {
    if (!this.#whole) return [part, 0];
    return [this.#whole.flow.name, part === "solve.x" ? 0 : this.#lengthOf("solve.x")];
  }

  #writePart(part: "solve.x" | "solve.logDensity", values: NumericArray): void {
    const [name, offset] = this.#placeOf(part);
    this.#store.write(name, values, offset);
  }

  /** Nothing is lost of points and log-densities yet: the second half of a whole network's state. */
  #clearLost({ name, shape }: WholeNetworkPlan["flow"]): void {
    const half = (shape[0] as number) / 2;
    this.#store.write(name, new Float32Array(half), half);
  }

  #readPart(part: "solve.x" | "solve.logDensity"): Promise<NumericArray> {
    const [name, offset] = this.#placeOf(part);
    return this.#store.read(name, offset, this.#lengthOf(part));
  }

  #write(name: string, values: ArrayLike<number>): void {
    const { dtype } = this.#store.declaration(name);
    this.#store.write(name, dtype === "u32" ? Uint32Array.from(values) : Float64Array.from(values));
  }
}
