/** What FDM's terms, estimates and weights do to a density, each by a contender of its own. */
import { cfm, type FDMOptions, fdm, type Loss, paper2d } from "../../../index.ts";
import type { Contender } from "../experiment.ts";
import type { PlaneSettings } from "./settings.ts";

/** The terms alone need a trace of the velocity's: its weight has to be positive. */
const NEXT_TO_NOTHING = 1e-6;

export interface PlaneContender extends Contender {
  loss(settings: PlaneSettings): Loss;
  /** Its weight is a first guess from gradients, in place of the settings'. */
  readonly isSuggested?: boolean;
  /** A flow map beside, taught by a field of this loss. */
  readonly isMap?: boolean;
}

/** Weights of a sweep: those of the sweeps in docs/loss.md. */
const weights = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30];

/** FDM as the settings have it, but for these options, which the published objective does not have. */
function fdmWith(options: FDMOptions): PlaneContender["loss"] {
  return ({ weight, objective }) => {
    const form = objective === "residual" ? "residual" : "slice";
    return fdm({ divergence: weight, form, ...options });
  };
}

export const planeContenders: Readonly<Record<string, PlaneContender>> = {
  cfm: {
    title: "CFM",
    cost: 1,
    about: "the velocity's mean square alone: conditional flow matching",
    loss: () => cfm(),
  },
  fdm: {
    title: "FDM",
    cost: 2,
    about: "the velocity's and the divergence's, in the form and with the weight of the settings",
    loss: (settings) =>
      settings.objective === "paper-2d" ? paper2d({ divergence: settings.weight }) : fdmWith({})(settings),
  },
  exact: {
    title: "Exact FDM",
    cost: 3,
    about: "FDM with the exact divergence, by two Jacobian-vector products, in place of Hutchinson's estimate",
    loss: fdmWith({ estimator: "exact" }),
  },
  gaussian: {
    title: "FDM with normal probes",
    cost: 2,
    about: "FDM with N(0, I) probes in place of signs",
    loss: fdmWith({ probe: "gaussian" }),
  },
  probes: { title: "FDM with 4 probes", cost: 5, about: "FDM with four probes", loss: fdmWith({ probes: 4 }) },
  quarter: {
    title: "FDM on a quarter",
    cost: 1.25,
    about: "FDM with its divergence term on a quarter of each batch",
    loss: fdmWith({ fraction: 0.25 }),
  },
  slice: {
    title: "Slice FDM",
    cost: 2,
    about: "FDM with the residual's Jacobian along the probe",
    loss: fdmWith({ form: "slice" }),
  },
  residual: {
    title: "Residual FDM",
    cost: 2,
    about: "FDM with the scalar residual, of Hutchinson's trace",
    loss: fdmWith({ form: "residual" }),
  },
  divergence: {
    title: "Divergence alone",
    cost: 2,
    about: "the divergence term alone: the velocity's has a weight of a millionth beside it",
    loss: (settings) =>
      fdm({
        divergence: 1,
        velocityWeight: NEXT_TO_NOTHING,
        form: settings.objective === "residual" ? "residual" : "slice",
      }),
  },
  "paper-2d": {
    title: "Published objective",
    cost: 2,
    about:
      "what the published program trains on: the velocity, the slice, the residual and the velocity's error once more",
    loss: () => paper2d({ divergence: 0.1 }),
  },
  suggested: {
    title: "FDM, suggested weight",
    cost: 2,
    about: "FDM with the weight that suggestDivergenceWeight guesses from the lengths of gradients",
    isSuggested: true,
    loss: fdmWith({}),
  },
  map: {
    title: "One-step map",
    cost: 2,
    about: "a flow map with a head of divergences, taught by a field that FDM trained: samples in one evaluation",
    isMap: true,
    loss: fdmWith({}),
  },
  ...Object.fromEntries(
    weights.map((weight) => [
      `weight-${weight}`,
      {
        title: `FDM, weight ${weight}`,
        cost: 2,
        about: `FDM with ${weight} in place of the settings' weight`,
        loss: (settings: PlaneSettings) => fdmWith({})({ ...settings, weight }),
      },
    ]),
  ),
};
