/** Who is ahead: by the share of samples outside the squares, at equal steps and at equal seconds of training. */
import { type LossName, lossNames } from "./messages.ts";

/** What samples of a model told, after so many steps and seconds of its own training. */
export interface Sampled {
  readonly step: number;
  readonly seconds: number;
  /** Share of the samples where the data has density 0. */
  readonly outside: number;
  /** How many samples there were. */
  readonly count: number;
}

/** Both models at one step or one time; undefined before they have been sampled there. */
export interface Standing {
  readonly step: number;
  readonly seconds: number;
  readonly outside: Readonly<Record<LossName, number>>;
  /** Undefined where two standard errors are more than the difference. */
  readonly leader: LossName | undefined;
}

type Histories = Readonly<Record<LossName, readonly Sampled[]>>;

export function atEqualSteps({ cfm, fdm }: Histories): Standing | undefined {
  const [one, other] = [cfm.at(-1), fdm.at(-1)];
  return one && other && one.step === other.step ? standing(one, other) : undefined;
}

/** As long as the faster of the two has trained; the other one's share there lies between two that were measured. */
export function atEqualSeconds({ cfm, fdm }: Histories): Standing | undefined {
  const seconds = Math.min(cfm.at(-1)?.seconds ?? 0, fdm.at(-1)?.seconds ?? 0);
  const [one, other] = [at(cfm, seconds), at(fdm, seconds)];
  return one && other ? standing(one, other) : undefined;
}

function at(history: readonly Sampled[], seconds: number): Sampled | undefined {
  const after = history.findIndex((one) => one.seconds >= seconds);
  const [before, next] = [history[after - 1], history[after]];
  if (!next || next.seconds === seconds) return next;
  if (!before) return undefined;
  const part = (seconds - before.seconds) / (next.seconds - before.seconds);
  const between = (of: "step" | "outside") => before[of] + part * (next[of] - before[of]);
  // The fewer samples of the two: the error is not said to be less than it is.
  return {
    step: Math.round(between("step")),
    seconds,
    outside: between("outside"),
    count: Math.min(before.count, next.count),
  };
}

function standing(cfm: Sampled, fdm: Sampled): Standing {
  const variance = ({ outside, count }: Sampled) => (outside * (1 - outside)) / count;
  const difference = fdm.outside - cfm.outside;
  const certain = Math.abs(difference) > 2 * Math.sqrt(variance(cfm) + variance(fdm));
  return {
    step: cfm.step,
    seconds: Math.min(cfm.seconds, fdm.seconds),
    outside: { cfm: cfm.outside, fdm: fdm.outside },
    leader: certain ? (difference < 0 ? "fdm" : "cfm") : undefined,
  };
}

/** "FDM ahead: 1.2 % outside against 1.9 %". */
export function standingWords({ outside, leader }: Standing): string {
  const share = (name: LossName) => `${(100 * outside[name]).toFixed(1)} %`;
  if (!leader) return `no difference beyond chance: CFM ${share("cfm")} outside, FDM ${share("fdm")}`;
  const other = lossNames.find((name) => name !== leader) as LossName;
  return `${leader.toUpperCase()} ahead: ${share(leader)} outside against ${share(other)}`;
}
