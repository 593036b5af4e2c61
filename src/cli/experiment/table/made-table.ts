/**
 * A table of mixed kinds whose density is known: people with a segment, where they live, what they earn, own and save. Each column is
 * drawn given those before it:
 *
 * | column | is | given |
 * |---|---|---|
 * | segment | student, worker, retired: 0.25, 0.5, 0.25 | |
 * | region | north, east, south, west by shares of the segment's own | segment |
 * | age | N(22, 3), N(42, 10) or N(71, 6), rounded | segment |
 * | income | log-normal of deviation 0.35 around exp 9.2, exp(10.2 + 0.01 (age - 42)) or exp 9.9, rounded to 100 | segment, age |
 * | owner | yes with probability logistic(1.5 (ln income - 10)) | income |
 * | rooms | 1 + Poisson of mean 3 for owners, else 1.2 | owner |
 * | saved | a share, its logit N(-1 + 0.8 owner - 0.02 (age - 42), 1.2) | owner, age |
 * | balance | N(m, 0.5) or N(-m, 0.5), each as often, m = 1 for owners, else 3 | owner |
 */
import { fromLine } from "../../../posterior/transforms.ts";
import { numberOfShare, randomNumbers, uniformSequence } from "../random-numbers.ts";

const segments = ["student", "worker", "retired"] as const;
const segmentShares = [0.25, 0.5, 0.25];
const regions = ["north", "east", "south", "west"] as const;
const regionShares = [
  [0.4, 0.3, 0.2, 0.1],
  [0.25, 0.25, 0.25, 0.25],
  [0.1, 0.1, 0.5, 0.3],
];
const ages = [
  [22, 3],
  [42, 10],
  [71, 6],
] as const;
const SPREAD = 0.35;
const INCOME_STEP = 100;
const SAVED_DEVIATION = 1.2;
const BALANCE_DEVIATION = 0.5;

export const madeColumns = ["segment", "region", "age", "income", "owner", "rooms", "saved", "balance"] as const;

const logIncome = (segment: number, age: number) => [9.2, 10.2 + 0.01 * (age - 42), 9.9][segment] as number;
const owning = (income: number) => 1 / (1 + Math.exp(-1.5 * (Math.log(income) - 10)));
const meanRooms = (owner: boolean) => (owner ? 3 : 1.2);
const logitSaved = (owner: boolean, age: number) => -1 + (owner ? 0.8 : 0) - 0.02 * (age - 42);
const balanceMean = (owner: boolean) => (owner ? 1 : 3);

/** Rows of the made table, fields as a file would have them. */
export function drawTable(count: number, seed: number): string[][] {
  const uniform = uniformSequence(seed);
  const normal = randomNumbers("normal", 4 * count, seed + 1);
  return Array.from({ length: count }, (_, row) => {
    const noise = (k: number) => normal[4 * row + k] as number;
    const segment = numberOfShare(segmentShares, uniform());
    const region = numberOfShare(regionShares[segment] as number[], uniform());
    const [mean, deviation] = ages[segment] as readonly [number, number];
    const age = Math.max(0, Math.round(mean + deviation * noise(0)));
    const exact = Math.exp(logIncome(segment, age) + SPREAD * noise(1));
    const income = Math.max(INCOME_STEP, INCOME_STEP * Math.round(exact / INCOME_STEP));
    const owner = uniform() < owning(income);
    const rooms = 1 + poisson(meanRooms(owner), uniform());
    const saved = 1 / (1 + Math.exp(-(logitSaved(owner, age) + SAVED_DEVIATION * noise(2))));
    const side = uniform() < 0.5 ? 1 : -1;
    const balance = side * balanceMean(owner) + BALANCE_DEVIATION * noise(3);
    return [
      ...[segments[segment] as string, regions[region] as string, String(age), String(income), owner ? "yes" : "no"],
      ...[String(rooms), saved.toFixed(7), balance.toFixed(7)],
    ];
  });
}

function poisson(mean: number, uniform: number): number {
  let [k, term, rest] = [0, Math.exp(-mean), uniform];
  while (rest >= term && k < 50) {
    rest -= term;
    term *= mean / ++k;
  }
  return k;
}

const cdf = (z: number) => fromLine({ kind: "between", low: 0, high: 1 }, z);
/** From the nearer tail, where digits are. */
const between = (low: number, high: number) => (low > 0 ? cdf(-low) - cdf(-high) : cdf(high) - cdf(low));
const logNormal = (x: number, mean: number, deviation: number) =>
  -0.5 * ((x - mean) / deviation) ** 2 - Math.log(deviation) - 0.5 * Math.log(2 * Math.PI);

/** log p of a row, in nats: probabilities of segment, region, age, owner and rooms, densities per unit of income, saved and balance. */
export function madeLogDensity(fields: readonly string[]): number {
  const [segmentName, regionName, ageField, incomeField, ownerField, roomsField, savedField, balanceField] = fields;
  const segment = segments.indexOf(segmentName as (typeof segments)[number]);
  const region = regions.indexOf(regionName as (typeof regions)[number]);
  const [age, income, rooms, saved, balance] = [ageField, incomeField, roomsField, savedField, balanceField].map(
    Number,
  ) as [number, number, number, number, number];
  const owner = ownerField === "yes";
  const [mean, deviation] = ages[segment] as readonly [number, number];
  const ofAge = between((age - 0.5 - mean) / deviation, (age + 0.5 - mean) / deviation);
  const place = (value: number) => (Math.log(Math.max(value, 1e-300)) - logIncome(segment, age)) / SPREAD;
  const ofIncome = between(place(income - INCOME_STEP / 2), place(income + INCOME_STEP / 2)) / INCOME_STEP;
  const ofOwner = owner ? owning(income) : 1 - owning(income);
  const lambda = meanRooms(owner);
  let logRooms = -lambda;
  for (let k = 1; k < rooms; k++) logRooms += Math.log(lambda / k);
  const logit = Math.log(saved / (1 - saved));
  const ofSaved = logNormal(logit, logitSaved(owner, age), SAVED_DEVIATION) - Math.log(saved * (1 - saved));
  const m = balanceMean(owner);
  const ofBalance =
    logNormal(Math.abs(balance), m, BALANCE_DEVIATION) +
    Math.log1p(Math.exp((-2 * m * Math.abs(balance)) / BALANCE_DEVIATION ** 2)) -
    Math.LN2;
  return (
    Math.log(segmentShares[segment] as number) +
    Math.log(regionShares[segment]?.[region] as number) +
    Math.log(Math.max(ofAge, 1e-300)) +
    Math.log(Math.max(ofIncome, 1e-300)) +
    Math.log(ofOwner) +
    logRooms +
    ofSaved +
    ofBalance
  );
}
