/**
 * Contenders take turns at a task, so that what slows the machine down for a while slows all of them.
 * @import { Prepared, Task } from "./session.ts"
 * @import { Outcome } from "./rows.mjs"
 */
import { blameTheFew, faultOf } from "./rows.mjs";

/**
 * One side of a turn: a task of a session in a process or page, see session.ts. A method rejects with an error named
 * NotOffered for what is not offered.
 * @typedef {object} Entrant
 * @property {Task} task
 * @property {() => Promise<Prepared>} prepare
 * @property {(count: number) => Promise<number[]>} samples
 */

/** Turns of each contender, when its samples are short enough. */
const TURNS = 5;
/** A sample longer than so many milliseconds is taken twice, one longer than that once. */
const [LONG, VERY_LONG] = [2000, 8000];
/** After others had the caches, a short sample more is run first, and does not count. */
const SHORT = 300;
const MOST_SAMPLES = 40;

/**
 * How many samples a contender takes, and over how many turns.
 * @param {number} milliseconds - of a sample
 * @param {number} seconds - to spend on them
 */
export function planTurns(milliseconds, seconds) {
  const fitting = Math.min(MOST_SAMPLES, Math.floor((1000 * seconds) / milliseconds));
  const samples = milliseconds > VERY_LONG ? 1 : milliseconds > LONG ? 2 : Math.max(3, fitting);
  const turns = Math.min(TURNS, samples);
  return { turns, perTurn: Math.ceil(samples / turns), warmUp: milliseconds <= SHORT };
}

/**
 * The outcome of each entrant, in their order. One that fails or whose numbers are off takes no further turn.
 * @param {readonly Entrant[]} entrants
 * @param {{ seconds: number }} options - to spend on the samples of each
 * @returns {Promise<Outcome[]>}
 */
export async function takeTurns(entrants, { seconds }) {
  /** @type {Outcome[]} */
  const outcomes = [];
  for (const entrant of entrants) outcomes.push(await prepared(entrant));
  const plans = outcomes.map(({ samples = [], error, leftOut }) => {
    const [first] = samples;
    return error === undefined && leftOut === undefined && first !== undefined ? planTurns(first, seconds) : undefined;
  });
  for (const outcome of outcomes) Object.assign(outcome, { samples: [], turns: [] });
  for (const workload of new Set(entrants.map(({ task }) => task.workload))) {
    blameTheFew(
      outcomes.filter((_, i) => entrants[i]?.task.workload === workload && entrants[i]?.task.network !== undefined),
    );
  }

  for (let turn = 0; turn < TURNS; turn++) {
    // There and back: nobody always follows the same one.
    const order = entrants.map((_, i) => (turn % 2 === 0 ? i : entrants.length - 1 - i));
    for (const i of order) {
      const [entrant, plan, outcome] = [entrants[i], plans[i], outcomes[i]];
      if (!entrant || !outcome || !plan || turn >= plan.turns || outcome.error !== undefined) continue;
      try {
        const times = await entrant.samples(plan.perTurn + (plan.warmUp ? 1 : 0));
        const counted = plan.warmUp ? times.slice(1) : times;
        outcome.samples?.push(...counted);
        outcome.turns?.push(counted.length);
      } catch (error) {
        Object.assign(outcome, failure(error));
      }
    }
  }
  return outcomes;
}

/**
 * With one sample's milliseconds, for the plan.
 * @param {Entrant} entrant
 * @returns {Promise<Outcome>}
 */
async function prepared({ task, prepare }) {
  try {
    const { evidence, units, milliseconds, flops, plan } = await prepare();
    const error = faultOf(task, evidence);
    return {
      ...{ evidence, units, flops, plan, samples: [units * milliseconds] },
      ...(error === undefined ? {} : { error }),
    };
  } catch (error) {
    return failure(error);
  }
}

/** @param {unknown} error @returns {Outcome} */
export function failure(error) {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof Error && error.name === "NotOffered" ? { leftOut: message } : { error: message };
}
