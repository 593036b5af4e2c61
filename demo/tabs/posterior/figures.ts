/** What is said of a posterior in words and numbers. */
import { shortNumber } from "../../page/words.ts";
import type { Answer, Compared, News } from "./messages.ts";

export type Simulated = Extract<News, { kind: "simulated" }>;
export type Judged = Extract<News, { kind: "judged" }>;

export interface Known {
  readonly simulated: Simulated | undefined;
  readonly answer: Answer | undefined;
  readonly judged: Judged | undefined;
  /** Of the answer's observation. */
  readonly compared: Compared | undefined;
}

/** Mean and deviation of both parameters, and their correlation. */
export function summaryOf(samples: Float32Array): { means: number[]; deviations: number[]; correlation: number } {
  const count = samples.length / 2;
  const means = [0, 0];
  for (const [i, value] of samples.entries()) means[i % 2] = (means[i % 2] as number) + value / count;
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < samples.length; i += 2) {
    const [x, y] = [(samples[i] as number) - (means[0] as number), (samples[i + 1] as number) - (means[1] as number)];
    xx += (x * x) / count;
    yy += (y * y) / count;
    xy += (x * y) / count;
  }
  return { means, deviations: [Math.sqrt(xx), Math.sqrt(yy)], correlation: xy / Math.sqrt(xx * yy || 1) };
}

/** Name, meaning and value of each line of the table. */
export function figuresOf({ simulated, answer, judged, compared }: Known): (readonly [string, string, string])[] {
  if (!simulated) return [];
  const isTrained = answer !== undefined && answer.step > 0;
  const summary = isTrained ? summaryOf(answer.samples) : undefined;
  const plusMinus = (value: number, error: number) => `${shortNumber(value)} ± ${shortNumber(error)}`;
  const lines: (readonly [string, string, string])[] = simulated.parameters.map((name, k) => [
    name,
    "mean and deviation of the samples",
    summary ? plusMinus(summary.means[k] as number, summary.deviations[k] as number) : "–",
  ]);
  lines.push([
    "Learned",
    `nats about the parameters, on ${judged?.count ?? 256} simulations held out${
      simulated.possible === undefined ? "" : `; ${simulated.possible.toFixed(2)} can be had`
    }`,
    judged ? `${judged.gain.toFixed(2)} ± ${judged.error.toFixed(2)}` : "–",
  ]);
  if (simulated.possible !== undefined) {
    lines.push([
      "Told from the exact posterior",
      "by a classifier: 0.50 cannot be told, 1.00 always",
      compared ? `${compared.accuracy.toFixed(2)} ± ${compared.standardError.toFixed(2)}` : "–",
    ]);
    lines.push([
      "Effective count",
      `of ${(compared?.samples ?? 1000).toLocaleString("en")} samples, weighed by exact over learned density`,
      compared ? Math.round(compared.effective).toLocaleString("en") : "–",
    ]);
  }
  lines.push(["Answered in", "milliseconds for 1,000 samples", answer ? String(Math.round(answer.milliseconds)) : "–"]);
  return lines;
}

/** Of the parameters' picture, for whom it is not seen. */
export function descriptionOf({ simulated, answer, compared }: Known): string {
  if (!simulated || !answer) return "Preparing";
  const [x, y] = answer.observation.map(shortNumber);
  if (answer.step === 0)
    return `Not trained yet: samples of what was known before, for an observation of ${x} and ${y}.`;
  const { means, deviations, correlation } = summaryOf(answer.samples);
  const each = simulated.parameters.map(
    (name, k) => `${name} ${shortNumber(means[k] as number)}, give or take ${shortNumber(deviations[k] as number)}`,
  );
  const told = compared
    ? ` A classifier tells samples from exact ones in ${Math.round(100 * compared.accuracy)} % of cases; 50 is chance.`
    : "";
  return `Posterior for an observation of ${x} and ${y}, after ${answer.step.toLocaleString("en")} steps: ${each.join("; ")}; correlation ${correlation.toFixed(2)}.${told}`;
}
