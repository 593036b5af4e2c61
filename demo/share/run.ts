/** What a run is made of: what links, programs and files of settings hold of it. */

/** What is learned: a set of the library by name, or a mixture of equal round Gaussians about points that were drawn. */
export type SharedData =
  | { readonly kind: "named"; readonly name: string }
  | { readonly kind: "ink"; readonly title: string; readonly points: readonly number[]; readonly deviation: number };

export const solvers = ["euler", "midpoint", "heun", "rk4", "dopri5"] as const;
export const backends = ["auto", "webgpu", "wasm"] as const;

export interface SharedSampler {
  readonly solver: (typeof solvers)[number];
  /** Of solvers with fixed steps. */
  readonly steps: number;
  /** Of the adaptive one. */
  readonly tolerance: number;
  /** Of networks that are told classes: the one wanted, from 0; left out: all. And how strongly; left out: 1. */
  readonly label?: number;
  readonly guidance?: number;
}

/** What is looked at. */
export interface SharedView {
  /** Of the flow, in thousandths. */
  readonly t: number;
  readonly map: (typeof maps)[number];
  readonly overlays: readonly (typeof overlays)[number][];
  readonly axis: (typeof axes)[number];
  /** Evaluations of the one-step map that is trained beside; left out: none is. */
  readonly jumps?: number;
}

export const maps = ["none", "density", "density-error", "divergence-error", "difference"] as const;
export const overlays = ["particles", "data", "paths", "arrows", "lattice"] as const;
export const axes = ["step", "seconds"] as const;
export const jumps = [1, 2, 4, 8] as const;

export interface SharedRun {
  readonly data: SharedData;
  /** Of each hidden layer, and how many there are. */
  readonly width: number;
  readonly layers: number;
  readonly seed: number;
  readonly backend: (typeof backends)[number];
  /** Weight of the divergence loss of each model; 0 is conditional flow matching. */
  readonly weights: { readonly left: number; readonly right: number };
  readonly sampler: SharedSampler;
  /** Whether networks are told the classes of data that have some. */
  readonly byClass?: boolean;
  readonly view?: SharedView;
}

export const defaultRun: SharedRun = {
  data: { kind: "named", name: "checkerboard" },
  ...{ width: 64, layers: 4, seed: 1, backend: "auto" },
  weights: { left: 0, right: 0.1 },
  sampler: { solver: "rk4", steps: 12, tolerance: 1e-4 },
};

/** Data sets that pages of every version have. */
export const sharedSets = ["checkerboard", "eight-gaussians", "moons", "spirals", "pinwheel", "rings"] as const;

export const MOST_POINTS = 1000;
const MOST_TITLE = 40;
const LARGEST_COORDINATE = 8;
/** Classes at most, and the strongest guidance of either sign. */
const MOST_CLASSES = 8;
const STRONGEST = 20;

/** What is wrong with a run, as a part of a sentence; undefined where nothing is. It may come from anywhere. */
export function faultOf(run: SharedRun): string | undefined {
  const { data, width, layers, seed, backend, weights, sampler } = run;
  const isCount = (value: number, most: number) => Number.isInteger(value) && value >= 1 && value <= most;
  if (data.kind === "named" && !sharedSets.some((name) => name === data.name)) return `a data set "${data.name}"`;
  if (data.kind === "ink") {
    const { points, deviation, title } = data;
    if (title.length > MOST_TITLE) return "a title longer than any";
    if (points.length < 2 || points.length % 2 === 1 || points.length > 2 * MOST_POINTS) return "no drawing";
    if (!points.every((value) => Math.abs(value) <= LARGEST_COORDINATE)) return "points outside the picture";
    if (!(deviation > 0 && deviation <= LARGEST_COORDINATE)) return `points of deviation ${deviation}`;
  }
  if (!isCount(width, 512)) return `layers ${width} wide`;
  if (!isCount(layers, 8)) return `${layers} layers`;
  if (!(Number.isSafeInteger(seed) && seed >= 0)) return `a seed ${seed}`;
  if (!backends.includes(backend)) return `a backend "${backend}"`;
  for (const weight of [weights.left, weights.right]) if (!(weight >= 0 && weight <= 100)) return `a weight ${weight}`;
  if (!solvers.includes(sampler.solver)) return `a solver "${sampler.solver}"`;
  if (!isCount(sampler.steps, 1000)) return `${sampler.steps} solver steps`;
  if (!(sampler.tolerance >= 1e-7 && sampler.tolerance <= 1)) return `a tolerance ${sampler.tolerance}`;
  const { label, guidance } = sampler;
  if (label !== undefined && !isCount(label + 1, MOST_CLASSES)) return `a class ${label}`;
  if (guidance !== undefined && !(Number.isFinite(guidance) && Math.abs(guidance) <= STRONGEST))
    return `guidance of strength ${guidance}`;
  if (run.byClass !== undefined && typeof run.byClass !== "boolean") return `classes "${run.byClass}"`;
  return run.view === undefined ? undefined : faultOfView(run.view);
}

function faultOfView({ t, map, overlays: shown, axis, jumps: own }: SharedView): string | undefined {
  if (!(t >= 0 && t <= 1)) return `a time ${t}`;
  if (!maps.includes(map)) return `a map "${map}"`;
  if (!Array.isArray(shown)) return "layers that are no list";
  const odd = shown.find((one) => !overlays.includes(one));
  if (odd !== undefined) return `a layer "${odd}"`;
  if (!axes.includes(axis)) return `curves by "${axis}"`;
  if (own !== undefined && !jumps.some((one) => one === own)) return `a map in ${own} evaluations`;
  return undefined;
}
