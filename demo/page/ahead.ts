/** Who is ahead: by the negative log-likelihood of points held out, at equal steps and at equal seconds of training. */
import { type Side, sides } from "../messages.ts";

/** What was measured of a model, after so many steps and seconds of its own training. */
export interface Sampled {
  readonly step: number;
  readonly seconds: number;
  /** Less is better. */
  readonly likelihood: number;
  readonly likelihoodError: number;
}

/** Both models at one step or one time; undefined before they have been measured there. */
export interface Standing {
  readonly step: number;
  readonly seconds: number;
  readonly likelihood: Readonly<Record<Side, number>>;
  /** Undefined where two standard errors are more than the difference. */
  readonly leader: Side | undefined;
}

type Histories = Readonly<Record<Side, readonly Sampled[]>>;

export function atEqualSteps({ left, right }: Histories): Standing | undefined {
  const [one, other] = [left.at(-1), right.at(-1)];
  return one && other && one.step === other.step ? standing(one, other) : undefined;
}

/** As long as the one that trained less; what the other was worth then lies between two that were measured. */
export function atEqualSeconds({ left, right }: Histories): Standing | undefined {
  const seconds = Math.min(left.at(-1)?.seconds ?? 0, right.at(-1)?.seconds ?? 0);
  const [one, other] = [at(left, seconds), at(right, seconds)];
  return one && other ? standing(one, other) : undefined;
}

function at(history: readonly Sampled[], seconds: number): Sampled | undefined {
  const after = history.findIndex((one) => one.seconds >= seconds);
  const [before, next] = [history[after - 1], history[after]];
  if (!next || next.seconds === seconds) return next;
  if (!before) return undefined;
  const part = (seconds - before.seconds) / (next.seconds - before.seconds);
  const between = (of: "step" | "likelihood") => before[of] + part * (next[of] - before[of]);
  // The larger error of the two: it is not said to be less than it is.
  return {
    step: Math.round(between("step")),
    seconds,
    likelihood: between("likelihood"),
    likelihoodError: Math.max(before.likelihoodError, next.likelihoodError),
  };
}

function standing(left: Sampled, right: Sampled): Standing {
  const difference = right.likelihood - left.likelihood;
  // Both are judged by the same points, so this is more than the difference's own error.
  const certain = Math.abs(difference) > 2 * Math.hypot(left.likelihoodError, right.likelihoodError);
  return {
    step: left.step,
    seconds: Math.min(left.seconds, right.seconds),
    likelihood: { left: left.likelihood, right: right.likelihood },
    leader: certain ? (difference < 0 ? "right" : "left") : undefined,
  };
}

/** "FDM 0.3 ahead: 3.81 nats against 3.84". */
export function standingWords({ likelihood, leader }: Standing, titles: Readonly<Record<Side, string>>): string {
  const nats = (side: Side) => likelihood[side].toFixed(3);
  if (!leader)
    return `no difference beyond chance: ${titles.left} ${nats("left")} nats, ${titles.right} ${nats("right")}`;
  const other = sides.find((side) => side !== leader) as Side;
  return `${titles[leader]} ahead: ${nats(leader)} nats against ${nats(other)}`;
}
