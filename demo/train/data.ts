/** What is learned, made of what the page chose: a source to train on, points held out of it, and what is known of it exactly. */
import { arrayData, type DataSource, dataFrom, gaussianMixture, readCsv, readNpy, sampleData } from "divflow";
import { type Classes, classesOf, partOf } from "../field/classes.ts";
import { evenly, mixtureTruth } from "../field/mixture.ts";
import { LOG, newLocal, type Truth } from "../field/truth.ts";
import { truthOf } from "../field/truths.ts";
import type { Columns, DataChoice } from "../messages.ts";

export interface Learned {
  readonly source: DataSource;
  /** [count, 2], never trained on. */
  heldOut(count: number): Float32Array;
  /** [count, 2], as they are trained on. */
  sample(count: number, seed: number): Float32Array;
  readonly truth: Truth | undefined;
  /** Exact log-density of the data at a point; undefined of points alone. */
  readonly logDensity: ((x: number, y: number) => number) | undefined;
  readonly entropy: number | undefined;
  /** What the visitor should know, in sentences. */
  readonly notes: readonly string[];
  readonly columns?: Columns;
  /** What parts there are to be told of; undefined where there are none. */
  readonly classes?: Classes & {
    /** Of points that `sample` gave. */
    labelsOf(points: Float32Array): Uint8Array;
  };
}

/** No training comes near this seed's draws. */
const HELD_OUT_SEED = 2 ** 40;

/** Points of a named set that is learned by class: drawn once, with the class of each. As share/code.ts has it. */
export const LABELLED_POINTS = 16_384;

/**
 * @param byClass - whether networks are to be told classes, where there are some; the source then gives these too.
 * @throws {@link DivflowError} or Error: a sentence for the visitor.
 */
export function learnedOf(choice: DataChoice, { byClass = false, seed = 0 } = {}): Learned {
  if (choice.kind === "table") return table(choice, byClass);
  const learned = unlabelled(choice);
  const { classes } = learned;
  if (!byClass || !classes) return learned;
  const points = learned.sample(LABELLED_POINTS, seed);
  return { ...learned, source: labelled(points, classes.labelsOf(points)) };
}

function labelled(points: Float32Array, labels: Uint8Array): DataSource {
  return arrayData(points, [points.length / 2, 2], { conditions: { label: Uint32Array.from(labels) } });
}

function unlabelled(choice: Exclude<DataChoice, { kind: "table" }>): Learned {
  if (choice.kind === "named") {
    const source = dataFrom({ name: choice.name, options: {} });
    const truth = truthOf(source);
    const learned = fromSource(source, truth, truth?.caveat ? [truth.caveat] : []);
    const classes = classesOf(source);
    const at = classes?.at;
    if (!at) return learned;
    const labelsOf = (points: Float32Array) =>
      Uint8Array.from({ length: points.length / 2 }, (_, i) => at(points[2 * i]!, points[2 * i + 1]!));
    return { ...learned, classes: { ...classes, labelsOf } };
  }
  const { points, deviation } = choice;
  if (points.length < 2) throw new Error("Nothing is drawn yet: draw something, or choose a set.");
  const means = Array.from({ length: points.length / 2 }, (_, i) => [
    points[2 * i] as number,
    points[2 * i + 1] as number,
  ]);
  const source = gaussianMixture({ means, variances: means.map(() => deviation ** 2) });
  return fromSource(source, mixtureTruth(evenly(points, deviation ** 2)), []);
}

function fromSource(source: DataSource, truth: Truth | undefined, notes: readonly string[]): Learned {
  const draw = (count: number, seed: number) => Float32Array.from(sampleData(source, count, seed));
  const exact = source.logDensity?.bind(source);
  return {
    source,
    truth,
    notes,
    heldOut: (count) => draw(count, HELD_OUT_SEED),
    sample: draw,
    logDensity: exact ? (x, y) => exact([x, y]) : truth && densityBy(truth),
    // A quadrature over hundreds of components takes a second: of what is drawn nobody asks for it.
    entropy: source.name === "gaussian-mixture" ? undefined : source.entropy,
  };
}

/** At the end of the way. */
export function densityBy(truth: Truth): (x: number, y: number) => number {
  const out = newLocal();
  return (x, y) => {
    truth.at(x, y, 1, out);
    return out[LOG] as number;
  };
}

/** Standard deviation that columns of a table get, so that they fill the picture. */
const DEVIATION = 1.5;
/** Of a table's points, more than which would make the true field slow. */
const MOST_POINTS = 1500;
/** One row in so many is held out. */
const HELD_OUT_EVERY = 5;
const FEWEST_ROWS = 20;

/** More could not be told apart by colour. */
const MOST_CLASSES = 8;

function table(choice: DataChoice & { kind: "table" }, byClass: boolean): Learned {
  const { title } = choice;
  const { rows, names, chosen, columns, used, labels } = numbersIn(choice);
  const count = rows.length / 2;
  if (count < FEWEST_ROWS) throw new Error(`${title} has ${count} rows; a flow needs ${FEWEST_ROWS} at least.`);
  const fitted = [0, 1].map((axis) => {
    let [mean, square] = [0, 0];
    for (let i = 0; i < count; i++) mean += (rows[2 * i + axis] as number) / count;
    for (let i = 0; i < count; i++) square += ((rows[2 * i + axis] as number) - mean) ** 2 / count;
    // Of equal numbers rounding leaves something.
    if (!(square > 1e-18 * mean * mean))
      throw new Error(`Column "${names[axis]}" of ${title} is the same in all rows. Choose another one.`);
    return { mean, deviation: Math.sqrt(square) };
  });
  const scaled = Float32Array.from(rows, (value, i) => {
    const { mean, deviation } = fitted[i % 2] as { mean: number; deviation: number };
    return (DEVIATION * (value - mean)) / deviation;
  });
  const isHeld = (row: number) => row % HELD_OUT_EVERY === HELD_OUT_EVERY - 1;
  const of = (held: boolean) => scaled.filter((_, i) => isHeld(Math.floor(i / 2)) === held);
  const [training, held] = [of(false), of(true)];
  const stride = Math.ceil(training.length / 2 / MOST_POINTS);
  const kept = evenly(
    training.filter((_, i) => Math.floor(i / 2) % stride === 0),
    0,
  );
  const caveat = "The true field is that of these very points: as t goes to 1 it would only give them back.";
  const classes =
    labels &&
    classesOfRows(
      title,
      labels.filter((_, row) => !isHeld(row)),
      (isOf) =>
        mixtureTruth(
          partOf(kept, (i) => isOf(stride * i)),
          caveat,
        ),
    );
  const cut = (points: Float32Array, most: number) => points.slice(0, 2 * Math.min(most, points.length / 2));
  const [x, y] = fitted as [{ mean: number; deviation: number }, { mean: number; deviation: number }];
  const show = (value: number) => String(Number(value.toPrecision(4)));
  return {
    source:
      byClass && classes
        ? labelled(training, classes.labelsOf(training))
        : arrayData(training, [training.length / 2, 2]),
    heldOut: (most) => cut(held, most),
    sample: (most) => cut(training, most),
    truth: mixtureTruth(kept, caveat),
    logDensity: undefined,
    entropy: undefined,
    notes: [
      `${title}: ${count} rows, one in ${HELD_OUT_EVERY} held out. Across: ${names[0]} (mean ${show(x.mean)}, deviation ${show(x.deviation)}); up: ${names[1]} (mean ${show(y.mean)}, deviation ${show(y.deviation)}). Both are shown in deviations times ${DEVIATION}.`,
      ...(chosen ? [] : [`The first two columns of numbers were taken.`]),
    ],
    columns: { names: columns, used, ...(choice.label === undefined ? {} : { label: choice.label }) },
    ...(classes ? { classes } : {}),
  };
}

/** Of the rows trained on: what each is, and what is known of those of a kind. */
function classesOfRows(
  title: string,
  rows: readonly string[],
  truthOfRows: (isOf: (row: number) => boolean) => Truth,
): NonNullable<Learned["classes"]> {
  const names = [...new Set(rows)].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  if (names.length < 2 || names.length > MOST_CLASSES) {
    const found = names.length === 1 ? `one value, ${names[0]}` : `${names.length} values`;
    throw new Error(`The label column of ${title} has ${found}; 2 to ${MOST_CLASSES} classes can be told apart here.`);
  }
  const labels = Uint8Array.from(rows, (name) => names.indexOf(name));
  const known: (Truth | undefined)[] = [];
  return {
    names,
    labelsOf: (points) => labels.slice(0, points.length / 2),
    truth(label) {
      known[label] ??= truthOfRows((row) => labels[row] === label);
      return known[label];
    },
  };
}

function numbersIn({ bytes, title, columns: wanted, label }: DataChoice & { kind: "table" }) {
  if (bytes[0] === 0x93 && bytes[1] === 0x4e) {
    const { data: values, shape } = readNpy(bytes, title);
    const width = shape.length === 2 ? (shape[1] as number) : 0;
    if (width < 2) throw new Error(`${title} holds an array [${shape.join(", ")}]; expected [rows, 2] or wider.`);
    const [a, b] = wanted ?? [0, 1];
    const rows = Float64Array.from({ length: (shape[0] as number) * 2 }, (_, i) =>
      Number(values[Math.floor(i / 2) * width + (i % 2 === 0 ? a : b)]),
    );
    if (!rows.every(Number.isFinite)) throw new Error(`${title} holds numbers that are not finite.`);
    const columns = Array.from({ length: width }, (_, i) => `column ${i + 1}`);
    const at = (row: number, column: number) => String(values[row * width + column]);
    return {
      rows,
      labels: label === undefined ? undefined : Array.from({ length: rows.length / 2 }, (_, row) => at(row, label)),
      names: [columns[a] ?? "", columns[b] ?? ""],
      chosen: wanted !== undefined,
      columns,
      used: [a, b] as const,
    };
  }
  const columns = columnsOf(new TextDecoder().decode(bytes.subarray(0, 1 << 16)));
  const numeric = columns.flatMap(({ isNumber }, i) => (isNumber ? [i] : []));
  const [a, b] = wanted ?? (numeric as [number, number]);
  if (a === undefined || b === undefined) {
    throw new Error(
      `${title} has ${numeric.length} columns of numbers; two are needed, apart by commas, tabs or spaces.`,
    );
  }
  const told = label === undefined ? {} : { labels: [label] };
  const { values, conditions } = readCsv(bytes, title, { columns: [a, b], ...told });
  const names = columns.map(({ name }) => name);
  return {
    rows: values,
    labels: label === undefined ? undefined : (Object.values(conditions ?? {})[0] as readonly string[]),
    names: [names[a] ?? "", names[b] ?? ""],
    chosen: wanted !== undefined,
    columns: names,
    used: [a, b] as const,
  };
}

/** Columns by the first two lines: the names, if there are some, and which hold numbers. */
export function columnsOf(text: string): { name: string; isNumber: boolean }[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const [first = "", second = first] = lines;
  const delimiter = ["\t", ";", ",", "|"].find((one) => first.includes(one));
  const fields = (line: string) =>
    (delimiter ? line.split(delimiter) : line.trim().split(/\s+/)).map((field) => field.trim().replace(/^"|"$/g, ""));
  const isNumber = (field: string | undefined) => field !== undefined && field !== "" && Number.isFinite(Number(field));
  const [names, values] = [fields(first), fields(second)];
  const hasHeader =
    names.some((name) => !isNumber(name)) && values.some((value, i) => isNumber(value) && !isNumber(names[i]));
  return names.map((name, i) => ({
    name: hasHeader ? name || `column ${i + 1}` : `column ${i + 1}`,
    isNumber: isNumber(values[i]),
  }));
}
