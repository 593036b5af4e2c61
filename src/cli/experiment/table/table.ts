/**
 * A table of your own: how likely its rows are, which are anomalies and by which columns, synthetic rows and what they give away, missing
 * values filled; a flow beside a Gaussian and a kernel density estimate.
 */
import { adam, arrayData, cfm, condOT, cosineDecay, fdm, mlp, product, warmUp } from "../../../index.ts";
import { type Contender, defineExperiment } from "../experiment.ts";
import { checkTable, MADE, prepareTable, type TableData, trainingPoints } from "./data.ts";
import { judgeTable } from "./judge.ts";
import { tablePictures } from "./pictures.ts";
import { checkSettings, type TableSettings, tablePresets } from "./settings.ts";

const contenders: Readonly<Record<string, Contender>> = {
  cfm: { title: "CFM", cost: 1, about: "a flow of the columns, by the velocity's mean square alone" },
  fdm: { title: "FDM", cost: 2, about: "the same with the divergence's, with the weight of the settings" },
  gaussian: {
    ...{ title: "Gaussian", cost: 0, isBaseline: true },
    about:
      "a Gaussian of the transformed columns, its correlations shrunk by the share that rows held out of the training rows like best",
  },
  kernel: {
    ...{ title: "Kernels", cost: 0, isBaseline: true },
    about:
      "a Gaussian kernel around each of up to 4,000 training rows, of one width that rows held out of the training rows like best",
  },
  independent: {
    ...{ title: "Columns alone", cost: 0, isBaseline: true },
    about: "each column by itself: what it fills in are means and the commonest categories",
  },
  exact: {
    ...{ title: "Exact", cost: 0, isBaseline: true },
    about:
      "the density that made the built-in table, and rows drawn anew from it: what no model can beat but by chance",
  },
};

/** Validations on the way, which choose the parameters kept. */
const VALIDATIONS = 15;

export const table = defineExperiment<TableSettings, TableData>({
  name: "table",
  summary: "your table, FILE.csv, or a made one: likelihood, anomalies and why, synthetic rows, missing values filled",
  question:
    "What does a flow know of a table of numbers, dates and categories? Held-out rows say how likely it finds them; planted rows, which " +
    "have values of other rows, whether it finds what is odd and names the column; synthetic rows are held against held-out ones, and " +
    "against training rows that they must not copy; and hidden values are filled. A Gaussian and a kernel density estimate of the same " +
    "transformed columns do the same. The run folder has synthetic.csv, anomalies.csv and, where values are missing, filled.csv of each.",
  input: { what: `FILE.csv, or ${MADE}`, default: MADE },
  presets: tablePresets,
  contenders,
  losses: ["cfm", "fdm", "gaussian", "kernel", "independent"],
  headline: ["nats", "area", "c2st", "fillNumbers"],
  shares: { prepare: 0.02, judge: 0.3 },
  paper: [],
  differences: () => ["The paper has no such experiment."],
  check(settings, input) {
    checkSettings(settings);
    checkTable(settings, input);
  },
  steps: ({ steps }, loss) => (loss === "cfm" || loss === "fdm" ? steps : 0),
  prepare: prepareTable,
  async train({ settings, data, loss, seed, fitModel }) {
    if (loss !== "cfm" && loss !== "fdm") return;
    const { width, layers, steps, batch, rate, weight } = settings;
    const { codec, chosenBy } = data;
    const source = (points: Float64Array) => arrayData(points, [points.length / codec.dimension, codec.dimension]);
    await fitModel({
      steps,
      options: {
        network: mlp({ dimension: codec.dimension, hidden: Array.from({ length: layers }, () => width) }),
        path: condOT(),
        loss: loss === "fdm" ? fdm({ divergence: weight }) : cfm(),
        optimizer: adam({ learningRate: product(rate, warmUp({ steps: 50 }), cosineDecay({ steps, final: 0.01 })) }),
        maximumGradientNorm: 1,
        data: source(trainingPoints(data, seed)),
        batchSize: batch,
        validation: source(chosenBy.noised),
        validateEvery: Math.max(1, Math.round(steps / VALIDATIONS)),
        earlyStopping: { patience: Number.POSITIVE_INFINITY, by: "velocityLoss" },
      },
    });
  },
  judge: judgeTable,
  pictures: tablePictures,
});
