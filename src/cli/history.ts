/** What a report shows of a training run, however long: curves thinned as steps come. */
import type { ValidationMetrics } from "../index.ts";
import type { MetricsLine } from "./metrics-lines.ts";
import { Series } from "./series.ts";

const losses = ["velocityLoss", "divergenceLoss"] as const;
const criteria = ["velocityLoss", "negativeLogLikelihood"] as const;
export type Criterion = (typeof criteria)[number];

export class History {
  /** Of the minibatches, by step. */
  readonly velocityLoss = new Series();
  readonly divergenceLoss = new Series();
  /** Of the validations. */
  readonly heldOut = { velocityLoss: new Series({ exact: true }), negativeLogLikelihood: new Series({ exact: true }) };
  /** The last that none before it was better than. */
  best: ValidationMetrics | undefined;
  validations = 0;
  /** Validations that made a likelihood. */
  judged = 0;

  add(lines: readonly MetricsLine[]): void {
    for (const line of lines) {
      for (const name of losses) addTo(this[name], line.step, line[name]);
      if (line.validation) this.#validated(line.validation);
    }
  }

  #validated(validation: ValidationMetrics): void {
    this.validations++;
    if (validation.negativeLogLikelihood !== undefined) this.judged++;
    if (validation.best) this.best = validation;
    for (const name of criteria) addTo(this.heldOut[name], validation.step, validation[name]);
  }
}

function addTo(series: Series, step: number, value: number | undefined): void {
  if (value !== undefined && Number.isFinite(value)) series.add(step, value);
}
