/** What becomes of validations: which is the best, and when a run has waited long enough for a better one. */

/** What a model makes of the rows held out, after `step` steps: of its average, where the trainer keeps one. */
export interface ValidationMetrics {
  readonly step: number;
  /** The terms of the trainer's loss, on the same rows, times, noise and probes at each validation. */
  readonly velocityLoss: number;
  /** 0 for a loss without one. */
  readonly divergenceLoss: number;
  /** Mean over rows, in nats and data units. Left out: only every few validations make one. */
  readonly negativeLogLikelihood?: number;
  /** Of that mean, over rows. Left out: of a single row there is no telling. */
  readonly standardError?: number;
  /** Whether none before it was better. */
  readonly best: boolean;
}

export const validationCriteria = ["velocityLoss", "negativeLogLikelihood"] as const;
export type ValidationCriterion = (typeof validationCriteria)[number];

/** Where a run stands with its validations: kept in snapshots and files, so that a cut changes nothing. */
export interface ValidationStanding {
  /** The step of the last validation; -1 before the first. */
  readonly validated: number;
  /** Validations since the best one. */
  readonly waited: number;
  readonly best: ValidationMetrics | undefined;
  readonly stopped: boolean;
}

/** @param atStart - whether the parameters that a run begins with are validated too. */
export function firstStanding(atStart: boolean): ValidationStanding {
  return { validated: atStart ? -1 : 0, waited: 0, best: undefined, stopped: false };
}

/** Whether a validation is due at this step: at multiples of `every`, once. */
export function isDue({ validated, stopped }: ValidationStanding, step: number, every: number): boolean {
  return !stopped && step % every === 0 && step > validated;
}

/**
 * The standing after a validation that gave these metrics. One without the criterion's number does not count.
 *
 * @param patience - validations without a better one after which the run stops; undefined: never.
 */
export function standingAfter(
  standing: ValidationStanding,
  metrics: Omit<ValidationMetrics, "best">,
  { by, patience }: { readonly by: ValidationCriterion; readonly patience: number | undefined },
): ValidationStanding {
  const { step } = metrics;
  const value = metrics[by];
  if (value === undefined) return { ...standing, validated: step };
  const known = standing.best?.[by] ?? Number.POSITIVE_INFINITY;
  const areFinite = Object.values(metrics).every(Number.isFinite);
  if (areFinite && value < known) {
    return { validated: step, waited: 0, best: { ...metrics, best: true }, stopped: false };
  }
  const waited = standing.waited + 1;
  return { ...standing, validated: step, waited, stopped: patience !== undefined && waited >= patience };
}
