/** The experiments by name, each in a file of its own that is read when it is asked for. */
import type { Experiment } from "./experiment.ts";

/** In the order of the list. A line here and a file make an experiment. */
export const experiments: Readonly<Record<string, () => Promise<Experiment>>> = {
  checkerboard: () => import("./checkerboard.ts").then(({ checkerboard }) => checkerboard),
  "dna-toy": () => import("./dna-toy.ts").then(({ dnaToy }) => dnaToy),
  dna: () => import("./dna.ts").then(({ dna }) => dna),
  digits: () => import("./pictures/digits.ts").then(({ digits }) => digits),
  images: () => import("./pictures/images.ts").then(({ images }) => images),
  table: () => import("./table/table.ts").then(({ table }) => table),
  posterior: () => import("./posterior.ts").then(({ posterior }) => posterior),
  "moving-digits": () => import("./moving-digits.ts").then(({ movingDigits }) => movingDigits),
  bridge: () => import("./bridge.ts").then(({ bridge }) => bridge),
  lorenz: () => import("./trajectories/lorenz.ts").then(({ lorenz }) => lorenz),
  "fitzhugh-nagumo": () => import("./trajectories/fitzhugh-nagumo.ts").then(({ fitzHughNagumo }) => fitzHughNagumo),
  oscillator: () => import("./trajectories/oscillator.ts").then(({ oscillator }) => oscillator),
  pendulum: () => import("./trajectories/pendulum.ts").then(({ pendulum }) => pendulum),
  mixture: () => import("./trajectories/mixture.ts").then(({ mixture }) => mixture),
};
