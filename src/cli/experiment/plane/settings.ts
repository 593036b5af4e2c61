/** What may be chosen of experiments on densities of the plane. */
import { number, oneOf } from "../../arguments.ts";
import type { Preset, PresetName, Settings } from "../experiment.ts";

export interface PlaneSettings extends Settings {
  readonly width: number;
  readonly layers: number;
  readonly steps: number;
  readonly batch: number;
  readonly rate: number;
  /** Of the divergence term, in the form that `objective` says. */
  readonly weight: number;
  /** "slice", "residual", or "paper-2d": the published program's, with both. */
  readonly objective: string;
  /** Points that models are judged by. */
  readonly points: number;
  /** Of the grid along each coordinate that the total variation is taken on. */
  readonly grid: number;
  /** Steps of RK4 from noise to data. */
  readonly solver: number;
  /**
   * Validations on the way: likelihoods of fresh points, whose curve the report shows; 0: none. Models are judged as they are at the end: to
   * choose the best of so few points would choose by chance.
   */
  readonly validations: number;
  /** "cosine", to 1 % at the end, or "staircase", times 0.999 each 10 steps. */
  readonly decay: string;
}

export const sets = [
  "checkerboard",
  "eight-gaussians",
  "moons",
  "spirals",
  "pinwheel",
  "rings",
  "gaussian-mixture",
] as const;
const objectives = ["slice", "residual", "paper-2d"] as const;
const decays = ["cosine", "staircase"] as const;

export const presets: Readonly<Record<PresetName, Preset<PlaneSettings>>> = {
  quick: {
    settings: {
      ...{
        width: 64,
        layers: 4,
        steps: 8000,
        batch: 512,
        rate: 0.01,
        weight: 0.3,
        objective: "slice",
        decay: "cosine",
      },
      ...{ points: 4096, grid: 128, solver: 50, validations: 16 },
    },
    seeds: 1,
    cost: "about 2 minutes for two losses on two cores.",
  },
  standard: {
    settings: {
      ...{
        width: 128,
        layers: 4,
        steps: 20_000,
        batch: 512,
        rate: 0.005,
        weight: 0.3,
        objective: "slice",
        decay: "cosine",
      },
      ...{ points: 16_384, grid: 192, solver: 50, validations: 20 },
    },
    seeds: 3,
    cost: "about an hour for three seeds of two losses on two cores.",
  },
  paper: {
    settings: {
      ...{
        width: 512,
        layers: 4,
        steps: 30_000,
        batch: 512,
        rate: 0.001,
        weight: 0.1,
        objective: "paper-2d",
        decay: "staircase",
      },
      ...{ points: 16_384, grid: 192, solver: 100, validations: 20 },
    },
    seeds: 3,
    cost: "the paper's network and length, for a GPU; on two cores about 6 hours for three seeds of two losses.",
  },
};

export function checkPlane({ objective, decay, validations }: PlaneSettings, input: string): void {
  number(
    "--set validations",
    String(validations),
    "an integer of at least 0",
    (value) => Number.isInteger(value) && value >= 0,
  );
  oneOf("--data of checkerboard", input, sets);
  oneOf("--set objective", objective, objectives);
  oneOf("--set decay", decay, decays);
}
