/** All parameters of a posterior as one row of numbers: their names, their places, and the way to the model's coordinates and back. */
import { copiedNumbers, type Numbers } from "../data/numbers.ts";
import { ConfigError, DataError } from "../errors.ts";
import { isRecord } from "../graph/options.ts";
import { isInside, type ParametersOf, type Prior, type Priors, type Random } from "./priors.ts";
import { boundsOf, fromLine, logJacobianAt, type Transform, toLine } from "./transforms.ts";

/** One parameter's place in a row. */
export interface ParameterPlace {
  /** "" where the prior is no object of priors. */
  readonly name: string;
  /** The prior's. */
  readonly prior: string;
  readonly begin: number;
  readonly dimension: number;
  readonly isNumber: boolean;
}

/**
 * Parameters as users give them: rows [count, D] in the order of the priors, flat or in arrays; or by name, each a number for one
 * point, or an array for as many.
 */
export type ParametersGiven = Numbers | Readonly<Record<string, number | Numbers>>;

/** What is known of them without the priors: files hold it. */
export class ParameterTable {
  readonly places: readonly ParameterPlace[];
  readonly transforms: readonly Transform[];
  /** Of each number, such as "rate" and "place[1]". */
  readonly columns: readonly string[];

  constructor(places: readonly ParameterPlace[], transforms: readonly Transform[]) {
    this.places = places;
    this.transforms = transforms;
    this.columns = places.flatMap(({ name, dimension, isNumber }) =>
      Array.from({ length: dimension }, (_, k) => (isNumber ? name || "parameter" : `${name || "parameters"}[${k}]`)),
    );
  }

  get dimension(): number {
    return this.transforms.length;
  }

  /** Coordinates of the model of rows [count, D]; NaN, a row in all, where one lies outside the bounds. */
  toLine(rows: Float64Array): Float64Array {
    const z = rows.map((x, at) => {
      const transform = this.#at(at);
      return isInside(boundsOf(transform), x) ? toLine(transform, x) : Number.NaN;
    });
    for (let begin = 0; begin < z.length; begin += this.dimension) {
      const row = z.subarray(begin, begin + this.dimension);
      if (!row.every(Number.isFinite)) row.fill(Number.NaN);
    }
    return z;
  }

  fromLine(z: ArrayLike<number>): Float64Array {
    return Float64Array.from(z, (each, at) => fromLine(this.#at(at), each));
  }

  /** Of each row of the model's coordinates: log |det dz/dx| [count], in nats. */
  logJacobian(z: ArrayLike<number>): Float64Array {
    const sums = new Float64Array(z.length / this.dimension);
    for (let at = 0; at < z.length; at++) {
      sums[Math.floor(at / this.dimension)] += logJacobianAt(this.#at(at), z[at] as number);
    }
    return sums;
  }

  /**
   * Rows [count, D] of what users give.
   *
   * @throws {@link DataError} when a parameter is missing or unknown, or numbers are no whole rows.
   */
  rows(subject: string, given: ParametersGiven): Float64Array {
    const named = isRecord(given) && !ArrayBuffer.isView(given);
    const rows = named ? this.#rowsByName(subject, given) : Float64Array.from(copiedNumbers(subject, given as Numbers));
    const wrong = rows.findIndex((value) => !Number.isFinite(value));
    if (rows.length > 0 && rows.length % this.dimension === 0 && wrong < 0) return rows;
    throw new DataError({
      subject,
      given: wrong >= 0 ? `${rows[wrong]} in row ${Math.floor(wrong / this.dimension)}` : `${rows.length} numbers`,
      expected: `finite numbers in rows of ${this.dimension}: ${this.columns.join(", ")}`,
      remedy: "Give rows of all parameters, or each by its name.",
    });
  }

  #rowsByName(subject: string, given: Readonly<Record<string, unknown>>): Float64Array {
    const unknown = Object.keys(given).find((name) => !this.places.some((place) => place.name === name));
    const lists = this.places.map(({ name, dimension }) => {
      const value = given[name];
      const list = typeof value === "number" ? [value] : copiedNumbers(`${name} of ${subject}`, value as Numbers);
      return { name, list: Float64Array.from(list), dimension };
    });
    const [first] = lists;
    const count = first ? first.list.length / first.dimension : 0;
    if (unknown !== undefined || lists.some(({ list, dimension }) => list.length !== count * dimension)) {
      throw new DataError({
        subject,
        given: unknown ?? lists.map(({ name, list }) => `${list.length} numbers for ${name}`).join(", "),
        expected: `for each point: ${this.columns.join(", ")}`,
        remedy: "Give every parameter by its name, each for as many points.",
      });
    }
    const rows = new Float64Array(count * this.dimension);
    let begin = 0;
    for (const { list, dimension } of lists) {
      for (let i = 0; i < list.length; i++) {
        rows[Math.floor(i / dimension) * this.dimension + begin + (i % dimension)] = list[i] as number;
      }
      begin += dimension;
    }
    return rows;
  }

  /** By name [count, numbers of it], row-major; under "" where the prior has no names. */
  byName(rows: Float64Array): Readonly<Record<string, Float64Array>> {
    const count = rows.length / this.dimension;
    return Object.fromEntries(
      this.places.map(({ name, begin, dimension }) => {
        const values = new Float64Array(count * dimension);
        for (let i = 0; i < values.length; i++) {
          values[i] = rows[Math.floor(i / dimension) * this.dimension + begin + (i % dimension)] as number;
        }
        return [name || "parameters", values];
      }),
    );
  }

  #at(place: number): Transform {
    return this.transforms[place % this.dimension] as Transform;
  }
}

/** The table of a prior, with what draws from it. */
export class JointPrior<Given extends Prior | Priors> extends ParameterTable {
  readonly #named: readonly (readonly [string, Prior])[];
  readonly #isOne: boolean;

  /** @throws {@link ConfigError} when it is neither a prior nor an object of them. */
  constructor(given: Given) {
    const isOne = isPrior(given);
    const named = isOne ? [["", given as Prior] as const] : Object.entries(isRecord(given) ? (given as Priors) : {});
    if (named.length === 0 || !named.every(([, prior]) => isPrior(prior))) {
      throw new ConfigError({
        subject: "prior",
        given: given ?? String(given),
        expected: "a prior for each parameter",
        remedy:
          "Give them by name, such as { mass: uniform({ low: 0, high: 5 }), rate: logNormal({ mean: 0, deviation: 1 }) }.",
      });
    }
    let begin = 0;
    const places = named.map(([name, { name: prior, dimension, isNumber }]) => {
      const place = { name, prior, begin, dimension, isNumber };
      begin += dimension;
      return place;
    });
    super(
      places,
      named.flatMap(([, { transforms }]) => transforms),
    );
    this.#named = named;
    this.#isOne = isOne;
  }

  /** A draw: as the simulator is given it, and as a row. */
  draw(random: Random): { readonly parameters: ParametersOf<Given>; readonly row: Float64Array } {
    const values = this.#named.map(([name, prior]) => [name, prior.draw(random)] as const);
    const row = Float64Array.from(values.flatMap(([, value]) => (typeof value === "number" ? [value] : [...value])));
    const [first] = values;
    const parameters = this.#isOne ? first?.[1] : Object.fromEntries(values);
    return { parameters: parameters as ParametersOf<Given>, row };
  }

  /** A row as the simulator is given it. */
  parameters(row: Float64Array): ParametersOf<Given> {
    const values = this.places.map(({ name, begin, dimension, isNumber }) => {
      return [name, isNumber ? (row[begin] as number) : row.slice(begin, begin + dimension)] as const;
    });
    return (this.#isOne ? values[0]?.[1] : Object.fromEntries(values)) as ParametersOf<Given>;
  }
}

function isPrior(given: unknown): given is Prior {
  return isRecord(given) && typeof given["draw"] === "function" && Array.isArray(given["transforms"]);
}
