/** The ways to train flows of letters that experiments hold against each other. */
import type { Loss, PathScheduler } from "../../../index.ts";
import { crossEntropy, dirichlet, linearSimplex } from "../../../letters.ts";
import type { Contender } from "../experiment.ts";

export interface LettersContender extends Contender {
  /** Left out: nothing is trained. */
  readonly flow?: {
    path(sample: readonly [places: number, letters: number]): PathScheduler;
    loss(weight: number): Loss;
  };
}

export const lettersContenders = {
  cfm: {
    title: "Dirichlet CFM",
    cost: 1,
    about: "the Dirichlet path; cross-entropy of the letters alone",
    flow: { path: (sample) => dirichlet({ sample }), loss: () => crossEntropy() },
  },
  fdm: {
    title: "Dirichlet FDM",
    cost: 2,
    about: "the Dirichlet path; cross-entropy and the residual of the continuity equation on the simplex",
    flow: { path: (sample) => dirichlet({ sample }), loss: (divergence) => crossEntropy({ divergence }) },
  },
  linear: {
    title: "Linear path",
    cost: 1,
    about: "straight lines from points spread over the simplex to its corners; cross-entropy",
    flow: { path: (sample) => linearSimplex({ sample }), loss: () => crossEntropy() },
  },
} satisfies Readonly<Record<string, LettersContender>>;
