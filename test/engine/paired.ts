import { type Coupling, defineCoupling } from "../../src/flows.ts";
import {
  arrayData,
  cfm,
  eightGaussians,
  moons,
  type Runtime,
  sampleData,
  type TrainerOptions,
} from "../../src/index.ts";
import { smallOptions, trainSteps, withRuntime } from "./small.ts";

export const BATCH = 16;
export const options = (changes: Partial<TrainerOptions> = {}): TrainerOptions =>
  smallOptions({ loss: cfm(), data: moons(), start: eightGaussians(), batchSize: BATCH, ...changes });
export const lossesOf = async (runtime: Runtime, changes: Partial<TrainerOptions>, steps: number) =>
  (await trainSteps(await runtime.createTrainer(options(changes)), steps)).map(({ loss }) => loss);
export const here = (changes: Partial<TrainerOptions>, steps = 20) =>
  withRuntime("wasm", (runtime) => lossesOf(runtime, changes, steps));

export const identity: NonNullable<Coupling["pair"]> = ({ count }) => {
  const rows = Uint32Array.from({ length: count }, (_, row) => row);
  return { rows, columns: rows };
};
export const byFirst = () =>
  defineCoupling({
    name: "by first coordinate",
    async pair({ count, start, data }) {
      const order = (values: Float64Array) =>
        Uint32Array.from({ length: count }, (_, i) => i).sort(
          (a, b) => (values[2 * a] as number) - (values[2 * b] as number),
        );
      return { rows: order(start), columns: order(data) };
    },
  });
export const points = arrayData(sampleData(eightGaussians(), 50, 1), [50, 2], { standardize: true });
