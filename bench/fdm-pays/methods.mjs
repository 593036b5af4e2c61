/** What is held against CFM: losses, and noise on the rows. Names are those of the tables of docs/when-fdm-pays.md. */
import { adamW, cfm, fdm } from "divflow";
import { weighted } from "divflow/flows";
import { defineLoss, defineWeight, ops } from "divflow/networks";

/**
 * @typedef {import("divflow").Loss} Loss
 * @typedef {{ loss: () => Loss, jitter?: number | "auto", optimizer?: import("divflow").Optimizer, stages?: readonly { share: number, loss: () => Loss }[] }} Method
 *   `stages` take a share of the cost each, one after the other; they take the place of `loss`, which tells what the dearest costs.
 */

/**
 * CFM with a divergence term that counts w(t) times, as the velocity's does not.
 * @param {string} name
 * @param {import("divflow").FDMOptions} options
 * @param {(t: import("divflow").Node) => import("divflow").Node | number} weight
 */
const byTime = (name, options, weight) => () => {
  const { divergence = 0.1 } = options;
  const term = weighted(fdm(options), { by: defineWeight({ name, weight }) });
  return defineLoss({
    name,
    build(context) {
      const { loss: velocityLoss } = cfm().build(context);
      const { divergenceLoss } = term.build(context);
      if (!divergenceLoss) throw new TypeError(`${name} has no divergence term`);
      return { loss: ops.add(velocityLoss, ops.multiply(divergenceLoss, divergence)), velocityLoss, divergenceLoss };
    },
  });
};

const slice = () => fdm({ form: "slice", divergence: 0.3 });
const residual = (/** @type {number} */ divergence) => () => fdm({ divergence });

/** @type {Record<string, Method>} */
export const methods = {
  cfm: { loss: () => cfm() },
  "cfm, noise auto": { loss: () => cfm(), jitter: "auto" },
  "cfm, decay 0.1": { loss: () => cfm(), optimizer: adamW({ learningRate: 0.002, weightDecay: 0.1 }) },
  "cfm, decay 1": { loss: () => cfm(), optimizer: adamW({ learningRate: 0.002, weightDecay: 1 }) },
  "cfm, noise 0.02": { loss: () => cfm(), jitter: 0.02 },
  "cfm, noise 0.05": { loss: () => cfm(), jitter: 0.05 },
  "cfm, noise 0.1": { loss: () => cfm(), jitter: 0.1 },
  "cfm, noise 0.2": { loss: () => cfm(), jitter: 0.2 },
  "cfm, noise 0.3": { loss: () => cfm(), jitter: 0.3 },
  "cfm, noise 0.5": { loss: () => cfm(), jitter: 0.5 },
  "slice 0.3": { loss: slice },
  "slice 0.1": { loss: () => fdm({ form: "slice", divergence: 0.1 }) },
  "slice 1": { loss: () => fdm({ form: "slice", divergence: 1 }) },
  "residual 0.1": { loss: residual(0.1) },
  "residual 0.3": { loss: residual(0.3) },
  "residual 1": { loss: residual(1) },
  "residual 3": { loss: residual(3) },
  "residual 10": { loss: residual(10) },
  "slice 0.3, noise auto": { loss: slice, jitter: "auto" },
  "residual 0.3, noise auto": { loss: residual(0.3), jitter: "auto" },
  "residual 1, noise auto": { loss: residual(1), jitter: "auto" },
  "residual 0.3, noise 0.1": { loss: residual(0.3), jitter: 0.1 },
  "slice 0.3, noise 0.05": { loss: slice, jitter: 0.05 },
  "residual 1, noise 0.05": { loss: residual(1), jitter: 0.05 },
  "residual 1, noise 0.1": { loss: residual(1), jitter: 0.1 },
  "residual 3, noise auto": { loss: residual(3), jitter: "auto" },
  "residual 1, noise 0.3": { loss: residual(1), jitter: 0.3 },
  "residual 3, noise 0.3": { loss: residual(3), jitter: 0.3 },
  "residual 0.3, exact": { loss: () => fdm({ divergence: 0.3, estimator: "exact" }) },
  "residual 1, exact": { loss: () => fdm({ divergence: 1, estimator: "exact" }) },
  "slice 0.3, exact": { loss: () => fdm({ form: "slice", divergence: 0.3, estimator: "exact" }) },
  "residual 0.3, 4 probes": { loss: () => fdm({ divergence: 0.3, probes: 4 }) },
  "residual 1, 4 probes": { loss: () => fdm({ divergence: 1, probes: 4 }) },
  "slice 0.3, 4 probes": { loss: () => fdm({ form: "slice", divergence: 0.3, probes: 4 }) },
  "residual 0.3, quarter": { loss: () => fdm({ divergence: 0.3, fraction: 0.25 }) },
  "residual 1, quarter": { loss: () => fdm({ divergence: 1, fraction: 0.25 }) },
  "slice 0.3, quarter": { loss: () => fdm({ form: "slice", divergence: 0.3, fraction: 0.25 }) },
  "residual 0.3, every 4th": { loss: () => weighted(fdm({ divergence: 0.3 }), { every: 4 }) },
  "cfm, even times": { loss: () => weighted(cfm(), { times: "even" }) },
  "slice 0.3, even times": { loss: () => weighted(slice(), { times: "even" }) },
  "slice 0.3, by t": { loss: byTime("late", { form: "slice", divergence: 0.6 }, (t) => t) },
  "slice 0.3, by 1 - t": { loss: byTime("early", { form: "slice", divergence: 0.6 }, (t) => ops.subtract(1, t)) },
  "cfm, begun anew": {
    loss: () => cfm(),
    stages: [
      { share: 0.9, loss: () => cfm() },
      { share: 0.1, loss: () => cfm() },
    ],
  },
  "slice 0.3, the last tenth": {
    loss: slice,
    stages: [
      { share: 0.9, loss: () => cfm() },
      { share: 0.1, loss: slice },
    ],
  },
  "slice 0.3, the first tenth": {
    loss: slice,
    stages: [
      { share: 0.1, loss: slice },
      { share: 0.9, loss: () => cfm() },
    ],
  },
};
