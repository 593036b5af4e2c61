/** What is said of a step that was not finite. */
import { isArrayData } from "../data/array.ts";
import { drawnOnHost } from "../data/sample.ts";
import type { DataSource } from "../data/source.ts";
import { NumericError } from "../errors.ts";
import type { StepMetrics } from "./api.ts";
import type { TrainerSettings } from "./trainer-settings.ts";

/** Metrics that a step guards itself by, in the order in which they are made; then its new parameters. */
const watched = ["loss", "gradientNorm", "learningRate"] as const;

/** Networks begin as ones for numbers of size 1: of data this large no rate makes a model. */
const LARGE = 1000;

export function badStep(row: StepMetrics, settings: TrainerSettings): NumericError {
  const name = watched.find((metric) => !Number.isFinite(row[metric]));
  return new NumericError({
    subject: `${name ?? "new parameters"} of training step ${row.step}`,
    given: name ? String(row[name]) : "numbers that are not finite",
    expected: name ? "a finite number" : "finite numbers",
    remedy: `The state before this step is kept: save it. Then ${remedyOf(name, settings)}.`,
  });
}

function remedyOf(name: (typeof watched)[number] | undefined, settings: TrainerSettings): string {
  if (name === "learningRate") return "begin again with a learning rate that stays finite";
  const size = sizeOfData(settings);
  if (size > LARGE) {
    const how = isArrayData(settings.trainingData)
      ? "arrayData's option standardize"
      : "arrayData(sampleData(data, count), [count, dimension], { standardize: true })";
    return `standardise the data and begin again: they are of size ${size.toPrecision(1)}, and networks are made for size 1 (${how})`;
  }
  const clipping = settings.maximumGradientNorm === undefined ? ", or give maximumGradientNorm" : "";
  return name ? `lower the learning rate${clipping}` : `lower the learning rate, or raise the optimizer's epsilon`;
}

/** Points of a source that are looked at. */
const SOME = 64;

/** The largest number of what is trained on, where that is not standardised: of a user's points, or of some that are drawn. */
function sizeOfData({ trainingData }: TrainerSettings): number {
  if (trainingData.standardization) return 0;
  let most = 0;
  for (const value of isArrayData(trainingData) ? trainingData.values : someOf(trainingData)) {
    most = Math.max(most, Math.abs(value));
  }
  return most;
}

function someOf(source: DataSource): Float64Array {
  try {
    return drawnOnHost(source, SOME, 0);
  } catch {
    return new Float64Array(0); // a source of the caller's own: what is to be said is that the step was bad
  }
}
