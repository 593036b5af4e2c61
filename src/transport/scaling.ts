/**
 * A transport plan as Sinkhorn's algorithm has it: P_ij = a_i K_ij b_j, K_ij = exp((f_i + g_j - C_ij) / regularisation).
 *
 * The potentials f, g are in the kernel K, and the scalings a, b near 1, so that nothing leaves f64 however small the
 * regularisation is: when a scaling grows beyond 1e8 it is absorbed in its potential, and K computed anew (Schmitzer,
 * "Stabilized sparse scaling algorithms for entropy regularized transport problems", 2019). All else are products with K,
 * without a logarithm: a sweep reads it once.
 *
 * K is of f32 where a rough plan will do, which takes half the time, and of f64 else. Scalings and potentials are f64 always; the range
 * of f32 is enough for K and for scalings that are not yet absorbed.
 */
import type { Cost } from "./cost.ts";
import { type Kernel, logOf } from "./loops.ts";
import { bytesOf, narrowed, type Workspace, widened, widthOf, workspaceOf } from "./workspace.ts";

/** A scaling beyond it, or below its inverse, is absorbed. */
const LARGEST_SCALING = 1e8;

/** A column whose entries are all below exp(this) where a level begins gets a potential that is not as far off. */
const LEAST_OF_COLUMN = -10;

/** Vectors of rows and of columns there are at most. */
const VECTORS = 5;

export class Scaling {
  readonly cost: Cost;
  readonly rowWeights: Float64Array;
  readonly columnWeights: Float64Array;
  /** Elements from one row of the kernel to the next. */
  readonly width: number;
  /** Potentials that are in the kernel; of columns [width], as b is, whose numbers behind the columns do not matter. */
  readonly f: Float64Array;
  readonly g: Float64Array;
  readonly a: Float64Array;
  readonly b: Float64Array;
  /** In f64, where it is the one at work. */
  readonly kernel: Float64Array;
  regularisation = 0;
  /** Whether the kernel at work is of f32. */
  isSingle = false;
  /** Passes over the kernel so far. */
  passes = 0;
  readonly #workspace: Workspace;
  readonly #costs: Float64Array;
  readonly #rough: Float32Array;
  /** Of columns, as the kernel at work is, by whether it is of f32: what it is multiplied with, and its sums. */
  readonly #x: readonly [Float64Array, Float32Array];
  readonly #sums: readonly [Float64Array, Float32Array];
  /** Of rows. */
  readonly #y: Float64Array;

  /** Takes memory, until {@link release}. */
  constructor(cost: Cost, rowWeights: Float64Array, columnWeights: Float64Array) {
    const { rows, columns, values } = cost;
    const width = widthOf(columns);
    this.cost = cost;
    this.columnWeights = columnWeights;
    this.width = width;
    const matrices = 2 * bytesOf(8 * rows * width) + bytesOf(4 * rows * width);
    const workspace = workspaceOf(matrices + VECTORS * (bytesOf(8 * rows) + bytesOf(8 * width) + bytesOf(4 * width)));
    this.#workspace = workspace;
    this.rowWeights = workspace.f64(rows);
    this.rowWeights.set(rowWeights);
    [this.f, this.a, this.#y] = [workspace.f64(rows), workspace.f64(rows), workspace.f64(rows)];
    [this.g, this.b] = [workspace.f64(width), workspace.f64(width)];
    this.#x = [workspace.f64(width), workspace.f32(width)];
    this.#sums = [workspace.f64(width), workspace.f32(width)];
    this.#costs = widened(values, rows, columns, workspace.f64(rows * width, true));
    this.kernel = workspace.f64(rows * width, true);
    this.#rough = workspace.f32(rows * width, true);
  }

  /** Goes on at another regularisation, from the potentials there are. The next call is {@link sweep}: f is but a start. */
  begin(regularisation: number): void {
    const { f, g, width, cost } = this;
    this.regularisation = regularisation;
    const nearest = this.#x[0].fill(Number.NEGATIVE_INFINITY);
    this.#workspace.loops.begin(this.#costs, cost.rows, width, f, g, nearest);
    for (let j = 0; j < cost.columns; j++) if (nearest[j] < LEAST_OF_COLUMN * regularisation) g[j] -= nearest[j];
    this.#makeKernel();
  }

  /** Goes on with the kernel in f64. */
  refine(): void {
    this.absorb();
    this.isSingle = false;
    this.#makeKernel();
  }

  /** Rows, then columns, scaled to their weights. Returns by how much the rows were off before: the sum of |differences|. */
  sweep(): number {
    const sums = this.#cleared();
    const off = this.#workspace.loops.sweep(
      ...[this.#kernel, this.cost.rows, this.width, this.#multiplied(this.b), this.rowWeights, this.a],
      sums,
    );
    this.#scaleColumns(sums);
    return off;
  }

  /** Scales columns alone: they are exact after it. */
  fitColumns(): void {
    const sums = this.#cleared();
    this.#workspace.loops.transposed(this.#kernel, this.cost.rows, this.width, this.a, sums);
    this.#scaleColumns(sums);
  }

  /** Writes the sums of the plan's rows, and returns by how much they are off. */
  rowSums(into: Float64Array): number {
    const { a, rowWeights } = this;
    this.times(this.b, into);
    let off = 0;
    for (let i = 0; i < a.length; i++) {
      into[i] *= a[i];
      off += Math.abs(into[i] - rowWeights[i]);
    }
    return off;
  }

  /** into = K x. */
  times(x: Float64Array, into: Float64Array): void {
    this.passes++;
    this.#workspace.loops.times(this.#kernel, this.cost.rows, this.width, this.#multiplied(x), this.#y);
    into.set(this.#y);
  }

  /** into = K^T x. */
  transposed(x: Float64Array, into: Float64Array): void {
    this.passes++;
    this.#y.set(x);
    const sums = this.#cleared();
    this.#workspace.loops.transposed(this.#kernel, this.cost.rows, this.width, this.#y, sums);
    into.set(sums);
  }

  /** Absorbs scalings where one has grown or shrunk too far: the plan is the same. */
  stabilise(): void {
    if (!isFar(this.a, this.a.length) && !isFar(this.b, this.cost.columns)) return;
    this.absorb();
    this.#makeKernel();
  }

  /** Puts the scalings into the potentials: f, g are the plan's own then, and the kernel is of before. */
  absorb(): void {
    const { f, g, a, b, regularisation, cost } = this;
    for (let i = 0; i < cost.rows; i++) f[i] += regularisation * logOf(a[i]);
    for (let j = 0; j < cost.columns; j++) g[j] += regularisation * logOf(b[j]);
  }

  /** What was found, out of a kernel in f64 that is no more after it. */
  plan() {
    const { a, b, kernel, width, cost } = this;
    const { rows, columns } = cost;
    const total = this.#workspace.loops.plan(kernel, this.#costs, rows, width, a, b);
    this.absorb();
    return {
      plan: narrowed(kernel, rows, columns),
      cost: total,
      rowPotentials: this.f.slice(),
      columnPotentials: this.g.slice(0, columns),
    };
  }

  /** The memory is another's after it. */
  release(): void {
    this.#workspace.release();
  }

  get #kernel(): Kernel {
    return this.isSingle ? this.#rough : this.kernel;
  }

  #multiplied(x: Float64Array): Kernel {
    const own = this.#x[this.isSingle ? 1 : 0];
    own.set(x);
    return own;
  }

  #cleared(): Kernel {
    return this.#sums[this.isSingle ? 1 : 0].fill(0);
  }

  #scaleColumns(sums: Kernel): void {
    const { b, columnWeights, cost } = this;
    this.passes++;
    for (let j = 0; j < cost.columns; j++) b[j] = columnWeights[j] / sums[j];
  }

  #makeKernel(): void {
    const { f, g, regularisation, cost, width } = this;
    this.#workspace.loops.kernel(this.#costs, cost.rows, width, f, g, 1 / regularisation, this.#kernel);
    this.a.fill(1);
    this.b.fill(1);
  }
}

function isFar(scalings: Float64Array, count: number): boolean {
  for (let i = 0; i < count; i++) {
    if (!(scalings[i] <= LARGEST_SCALING && scalings[i] >= 1 / LARGEST_SCALING)) return true;
  }
  return false;
}
