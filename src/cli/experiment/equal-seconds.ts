/**
 * CFM once more, for as many steps as FDM's seconds buy: a contender of every experiment that has both and a setting `steps`. At
 * equal steps FDM has had more time; whether that is worth it is asked here.
 */
import { createTrainer, type Trainer } from "../../index.ts";
import { ratioInTurns, secondsOfAStep } from "../cost-ratio.ts";
import type { Experiment, Fit, LossJob, Settings } from "./experiment.ts";

export const EQUAL_SECONDS = "cfm-seconds";

/** The experiment with that contender, where it can have it. */
export function withEqualSeconds(experiment: Experiment): Experiment {
  const { cfm, fdm } = experiment.contenders;
  const hasSteps = Object.values(experiment.presets).every(({ settings }) => typeof settings["steps"] === "number");
  if (!cfm || !fdm || !hasSteps || experiment.contenders[EQUAL_SECONDS]) return experiment;
  const own = {
    title: `${cfm.title} for equal seconds`,
    about: `${cfm.title} for as many steps as ${fdm.title}'s seconds buy: what a step of each costs is measured in turns before`,
    cost: fdm.cost,
  };
  return {
    ...experiment,
    contenders: { ...experiment.contenders, [EQUAL_SECONDS]: own },
    steps: (settings, loss) => experiment.steps(settings, loss === EQUAL_SECONDS ? "cfm" : loss),
    async train(job) {
      if (job.loss !== EQUAL_SECONDS) return experiment.train(job);
      // Kept, so that a run that goes on has the steps that it began with: a clock tells something else each time.
      const { data } = await job.kept("steps-for-seconds", async () => ({
        values: Float64Array.of(await ratioOf(experiment, job)),
        shape: [1],
      }));
      const steps = Math.max(1, Math.round(Number(job.settings["steps"]) * (data[0] as number)));
      return experiment.train({ ...job, loss: "cfm", settings: { ...job.settings, steps } });
    },
    judge: (job) => experiment.judge(job.loss === EQUAL_SECONDS ? { ...job, loss: "cfm" } : job),
  };
}

/** What ends a training that is only asked what it would train. */
class Asked extends Error {
  readonly fit: Fit;
  constructor(fit: Fit) {
    super("asked for what it trains");
    this.fit = fit;
  }
}

/** Seconds of a step of FDM in those of one of CFM, by the first training of each. */
async function ratioOf(experiment: Experiment, job: LossJob<Settings, unknown>): Promise<number> {
  const { signal } = job;
  using cfm = await trainerOf(experiment, { ...job, loss: "cfm" });
  using fdm = await trainerOf(experiment, { ...job, loss: "fdm" });
  return await ratioInTurns(
    // before both are disposed

    () => secondsOfAStep(cfm, signal),
    () => secondsOfAStep(fdm, signal),
  );
}

async function trainerOf(experiment: Experiment, job: LossJob<Settings, unknown>): Promise<Trainer> {
  const asking = async (fit: Fit): Promise<never> => {
    throw new Asked(fit);
  };
  const asked = await experiment.train({ ...job, fitModel: asking }).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(asked instanceof Asked)) throw asked ?? new TypeError(`${experiment.name}: ${job.loss} trains nothing`);
  const { validation: _validation, validateEvery: _every, earlyStopping: _stopping, ...options } = asked.fit.options;
  return createTrainer(job.runtime, { ...options, seed: job.seed, signal: job.signal });
}
