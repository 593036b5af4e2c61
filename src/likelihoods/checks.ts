/**
 * Checks of what a path says of itself, on the host in f64, without a model: identities that hold of any density, its score and
 * its velocity. For paths of one's own; the tests ask them of every path here.
 */
import { jvp } from "../autodiff/jvp.ts";
import { ConfigError } from "../errors.ts";
import { brownianBridge } from "../flow/brownian-bridge.ts";
import { jacobianProducts, traceOf, unitVectors } from "../flow/divergence.ts";
import { dilation, type PathScheduler, pathScore, pointOnPath, targetVelocity } from "../flow/paths/path.ts";
import { relativeOutflow } from "../flow/total-variation.ts";
import { evaluate } from "../graph/evaluate.ts";
import type { Node } from "../graph/node.ts";
import { f32Option, integerOption, numberOption, optionsObject } from "../graph/options.ts";
import { abs, add, divide, log, maximum, multiply, negate, sin, square, subtract } from "../ops/arithmetic.ts";
import { stopGradient } from "../ops/control.ts";
import { matmul } from "../ops/matmul.ts";
import { sum } from "../ops/reduce.ts";
import { constant, table } from "../ops/sources.ts";
import { HostRandom } from "../ops/threefry.ts";

/** A scheduler, or the Brownian bridge of this diffusion between two points. */
export type CheckedPath = PathScheduler | { readonly bridge: number };

export interface PathCheckOptions {
  /** Numbers of a point, D; default 3. */
  readonly dimension?: number;
  /** Points, each of a path and a time of its own; default 4,096. */
  readonly count?: number;
  readonly seed?: number;
  /** Between which the times are; default 0.02 and 0.98: at its ends a path may be singular. */
  readonly from?: number;
  readonly to?: number;
}

export interface SteinOptions extends PathCheckOptions {
  /** f(x) [B, D] at points x [B, D], each row by itself, bounded with its derivatives; default: sines of sums of coordinates. */
  readonly field?: (x: Node) => Node;
}

export interface SteinIdentity {
  /** Of div f + f . score over the points: 0 but for chance. */
  readonly mean: number;
  readonly standardError: number;
}

/**
 * Stein's identity, E[div f + f . score] = 0 of any f that the density leaves behind far out: whether points and score belong to one
 * density. What residuals take their expectation from.
 *
 * @throws {@link ConfigError} when an option is wrong.
 */
export function steinIdentity(path: CheckedPath, options: SteinOptions = {}): SteinIdentity {
  const { dimension, points } = drawn("steinIdentity", path, options, ["field"]);
  const { x, score, deviation } = points;
  const { field = sines(dimension, deviation) } = options;
  const f = field(x);
  const divergence = traceOf(jacobianProducts(f, x, unitVectors(x.shape)));
  // In units of the density's own width: without that, rows where it is narrow would be all that counts.
  const terms = multiply(relativeOutflow(f, divergence, score), stopGradient(deviation));
  const data = valuesOf(terms);
  const mean = data.reduce((total, one) => total + one, 0) / data.length;
  const squares = data.reduce((total, one) => total + (one - mean) ** 2, 0);
  return { mean, standardError: Math.sqrt(squares / (data.length - 1) / data.length) };
}

/**
 * The continuity equation of each path's own density, d/dt log p_t(x | ends) + div u + u . score = 0, with the time derivative taken of
 * the density and not from the path's rates: whether velocity, score and dilation belong to one path.
 *
 * @returns the largest |sum|, relative to the largest of its terms, over the points.
 * @throws {@link ConfigError} when an option is wrong.
 */
export function continuityError(path: CheckedPath, options: PathCheckOptions = {}): number {
  const { dimension, points, t } = drawn("continuityError", path, options, []);
  const { x, mean, deviation, velocity, score, dilation: own } = points;
  const apart = divide(subtract(stopGradient(x), mean), deviation);
  const logDensity = negate(add(multiply(sum(square(apart), [1]), 0.5), multiply(log(deviation), dimension)));
  const [rate] = jvp([logDensity], [t], [constant(1, t.shape)]);
  const divergence = multiply(own, dimension);
  const transport = sum(multiply(velocity, score), [1]);
  const parts = [rate as Node, divergence, transport];
  const largest = parts.map(abs).reduce((a, b) => maximum(a, b));
  const data = valuesOf(divide(abs(parts.reduce(add)), largest));
  return data.reduce((most, one) => Math.max(most, one), 0);
}

function valuesOf(node: Node): Float64Array {
  return Float64Array.from((evaluate([node])[0] as { readonly data: ArrayLike<number> }).data);
}

/** Points of the path, with what it says of them; `deviation` and `mean` are functions of t. */
interface Points {
  readonly x: Node;
  readonly mean: Node;
  /** [B, 1], as `dilation`. */
  readonly deviation: Node;
  readonly velocity: Node;
  readonly score: Node;
  readonly dilation: Node;
}

function drawn<Options extends PathCheckOptions>(
  of: string,
  path: CheckedPath,
  options: Options,
  more: readonly (keyof Options & string)[],
): { readonly dimension: number; readonly points: Points; readonly t: Node } {
  const names = ["dimension", "count", "seed", "from", "to", ...more] as const;
  const given: PathCheckOptions = optionsObject(`options of ${of}`, options, names as never);
  const { dimension = 3, count = 4096, seed = 0, from = 0.02, to = 0.98 } = given;
  integerOption(`dimension of ${of}`, dimension, 1, 64);
  integerOption(`count of ${of}`, count, 2, 2 ** 20);
  integerOption(`seed of ${of}`, seed, 0);
  numberOption(`from of ${of}`, from, { minimum: 0, maximum: 1 });
  numberOption(`to of ${of}`, to, { minimum: from, maximum: 1, open: "minimum" });
  const random = new HostRandom(seed);
  const normal = (stream: number) => table([...random.normal(count * dimension, stream)], [count, dimension]);
  const times = Array.from(random.uniform(count, 3), (u) => from + (to - from) * u);
  const t = table(times, [count, 1]);
  return { dimension, points: pointsOf(of, path, { x0: normal(0), x1: normal(1), noise: normal(2), t }), t };
}

function pointsOf(
  of: string,
  path: CheckedPath,
  { x0, x1, noise, t }: { readonly x0: Node; readonly x1: Node; readonly noise: Node; readonly t: Node },
): Points {
  if ("bridge" in Object(path)) {
    const sigma = f32Option(`bridge of ${of}`, (path as { readonly bridge: number }).bridge, {
      minimum: 0,
      open: "minimum",
    });
    const { std, ...values } = brownianBridge({ x0, x1, noise, t, sigma });
    return { ...values, deviation: std };
  }
  const { at } = Object(path) as Partial<PathScheduler>;
  if (typeof at !== "function") throw noPath(of, path);
  const values = (path as PathScheduler).at(t);
  return {
    x: pointOnPath(values, x0, x1),
    mean: multiply(values.alpha, x1),
    deviation: values.sigma,
    velocity: targetVelocity(values, x0, x1),
    score: pathScore(values, x0),
    dilation: dilation(values),
  };
}

/** sin(A x / deviation + b) with a dense A: of size 1 on every path. */
function sines(dimension: number, deviation: Node): (x: Node) => Node {
  const weights = Array.from({ length: dimension * dimension }, (_, i) => Math.sin(1.3 + 2.1 * i));
  const shifts = Array.from({ length: dimension }, (_, i) => 0.4 + 0.7 * i);
  const width = stopGradient(deviation);
  return (x) =>
    sin(add(matmul(divide(x, width), table(weights, [dimension, dimension])), table(shifts, [1, dimension])));
}

function noPath(of: string, given: unknown): ConfigError {
  return new ConfigError({
    subject: `path of ${of}`,
    given,
    expected: "what condOT() gives, or { bridge: sigma }",
    remedy: "Give a path whose density is known.",
  });
}
