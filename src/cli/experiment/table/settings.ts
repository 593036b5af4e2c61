/** Settings of the experiment on tables, and what is refused of them. */
import { ConfigError } from "../../../index.ts";
import type { Preset, PresetName, Settings } from "../experiment.ts";

export interface TableSettings extends Settings {
  /** Of the made table. */
  readonly rows: number;
  /** `name:kind,...` of columns that are said by hand. */
  readonly columns: string;
  /** Share of the complete rows. */
  readonly heldOut: number;
  /** Held-out rows that are used, at most. */
  readonly points: number;
  readonly width: number;
  readonly layers: number;
  readonly steps: number;
  readonly batch: number;
  readonly rate: number;
  /** Of the divergence term. */
  readonly weight: number;
  /** Of RK4. */
  readonly solver: number;
  /** Synthetic rows, at most; no more than there are rows to train on. */
  readonly samples: number;
  /** Held-out rows of which values are hidden and filled, draws of each, and the guidance's strength. */
  readonly filled: number;
  readonly draws: number;
  readonly strength: number;
  /** Times that the classifier of synthetic rows sees its rows; 0: as many as `c2st` takes. */
  readonly epochs: number;
}

const shared = { columns: "", heldOut: 0.2, layers: 4, rate: 0.003, weight: 0.1, solver: 24, strength: 2, epochs: 0 };

export const tablePresets: Readonly<Record<PresetName, Preset<TableSettings>>> = {
  quick: {
    settings: {
      ...{ ...shared, rows: 2500, points: 500, width: 64, steps: 3000, batch: 256 },
      ...{ samples: 1000, filled: 100, draws: 8 },
    },
    ...{ seeds: 1, cost: "about 3 minutes for two losses and the baselines on two cores, reckoned for ten columns." },
  },
  standard: {
    settings: {
      ...{ ...shared, rows: 10_000, points: 2000, width: 128, steps: 10_000, batch: 256 },
      ...{ samples: 4000, filled: 500, draws: 16 },
    },
    ...{
      seeds: 3,
      cost: "about an hour for three seeds of two losses and the baselines on two cores, reckoned from quick.",
    },
  },
  paper: {
    settings: {
      ...{ ...shared, rows: 50_000, points: 5000, width: 512, steps: 30_000, batch: 512, rate: 0.001 },
      ...{ samples: 10_000, filled: 1000, draws: 32 },
    },
    ...{
      seeds: 3,
      cost: "the paper has no such experiment: its network of the plane and its steps, for a GPU; on two cores half a day and more.",
    },
  },
};

/** @throws {@link ConfigError} for what no model can be trained or judged with. */
export function checkSettings(settings: TableSettings): void {
  const refuse = (name: keyof TableSettings & string, expected: string) => {
    const facts = { subject: `--set ${name} of table`, given: settings[name], expected };
    throw new ConfigError({ ...facts, remedy: "See docs/experiments.md." });
  };
  for (const name of ["points", "width", "layers", "steps", "batch", "solver", "samples", "filled", "draws"] as const) {
    if (!Number.isInteger(settings[name]) || settings[name] < 1) refuse(name, "an integer from 1");
  }
  if (!Number.isInteger(settings.epochs) || settings.epochs < 0) refuse("epochs", "an integer from 0");
  if (!Number.isInteger(settings.rows) || settings.rows < 50) refuse("rows", "an integer from 50");
  if (!(settings.heldOut > 0 && settings.heldOut <= 0.5)) refuse("heldOut", "a share in (0, 0.5]");
}
