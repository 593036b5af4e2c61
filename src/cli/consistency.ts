/** `divflow evaluate --consistency`: how far few-step log-densities of a flow map are off, on its own samples. */
import { type DensityWay, flowMapConsistency, type StepsConsistency } from "../flows.ts";
import { ConfigError, type Model, type Solver } from "../index.ts";
import { positiveInteger } from "./arguments.ts";
import { isPointsFile, openData } from "./data.ts";
import { textTable } from "./output.ts";
import { counted, withError } from "./report/numbers.ts";

export const consistencyArguments = {
  consistency: {
    type: "string",
    description: "of a flow map, without points: numbers of steps, such as 1,2,4, whose log-densities are compared",
  },
  count: { type: "string", description: "samples that --consistency compares (1000)" },
} as const;

/** Where --count does not say. */
const COUNT = 1000;

/** Samples at most: they are in memory. */
const MOST_COUNT = 2 ** 22;

/** What to compare, checked before any work. */
export interface Comparison {
  readonly steps: readonly number[];
  readonly count: number;
  readonly seed: number;
  /** For the flow's own log-densities. */
  readonly solver: Solver;
  /** Of the data, where --data names a set whose density is known. */
  readonly closed: ((points: ArrayLike<number>) => ArrayLike<number>) | undefined;
}

/** @param data - of --data, which names a set here. */
export async function readComparison(
  steps: string,
  {
    count,
    data,
    seed,
    solver,
  }: {
    readonly count: string | undefined;
    readonly data: string | undefined;
    readonly seed: number;
    readonly solver: Solver;
  },
): Promise<Comparison> {
  return {
    steps: steps.split(",").map((one) => positiveInteger("--consistency", one.trim(), 1024)),
    count: count === undefined ? COUNT : positiveInteger("--count", count, MOST_COUNT),
    ...{ seed, solver },
    closed: data === undefined ? undefined : await closedForm(data),
  };
}

async function closedForm(data: string): Promise<NonNullable<Comparison["closed"]>> {
  const source = isPointsFile(data) ? undefined : await openData(data);
  const { dimension = 1, logDensity } = source ?? {};
  if (logDensity) {
    return (points) =>
      Array.from({ length: points.length / dimension }, (_, row) =>
        logDensity(Array.from({ length: dimension }, (_, i) => points[row * dimension + i] as number)),
      );
  }
  throw new ConfigError({
    subject: "--data",
    given: `${data} beside --consistency`,
    expected: "a data set by name whose density is known, or none: samples are the map's own",
    remedy: "Leave it out, or leave out --consistency to judge these points.",
  });
}

/** @param hasHead - whether the model's file says that there is a head of divergences. */
export async function compareDensities(model: Model, { closed, ...options }: Comparison, hasHead: boolean) {
  const all = await flowMapConsistency(model, {
    ...options,
    ...(hasHead ? {} : { densities: ["exact"] as const }),
    ...(closed ? { closed } : {}),
  });
  return {
    document: { ...documentOf(options), results: all.map(({ steps, errors, folded }) => ({ steps, errors, folded })) },
    lines: linesOf(all, options.count),
  };
}

const documentOf = ({ count, seed, solver }: Omit<Comparison, "closed">) => ({ count, seed, solver: solver.name });

/** A row for each number of steps, a column for each two ways that were taken. */
function linesOf(all: readonly StepsConsistency[], count: number): string[] {
  const [{ errors } = { errors: {} }] = all;
  const pairs = Object.entries(errors).flatMap(([of, others]) =>
    Object.keys(others ?? {}).map((from) => [of, from] as [DensityWay, DensityWay]),
  );
  const rows = all.map(({ steps, errors, folded }) => [
    String(steps),
    ...pairs.map(([of, from]) => {
      const error = errors[of]?.[from];
      return error ? withError(error.mean, error.standardError) : "";
    }),
    String(folded),
  ]);
  return [
    ...textTable([["steps", ...pairs.map(([of, from]) => `${of} from ${from}`), "folded"], ...rows]),
    `Mean |difference| of log-densities in nats over ${counted(count, "sample")} of the map's own, ± its standard error. ` +
      "Folded: samples where the map is not invertible, which have no exact one.",
  ];
}
