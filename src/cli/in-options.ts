/** The library's words for what helps, in those of the command line. */

const FIXED = "Raise --tolerance, or take fixed steps: --solver rk4.";

/** Where exact log-densities are too much. */
const estimated: Readonly<Record<string, string>> = {
  evaluate: "--divergence hutchinson with few --probes",
  sample: "samples without --log-density (evaluate --divergence hutchinson estimates it)",
  compare: "fewer --layers",
  train: "evaluate --divergence hutchinson",
};

/** `sigmaMin` is `sigma-min`. */
const dashed = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

type Words = readonly [ours: string | RegExp, here: string | ((all: string, ...parts: string[]) => string)];

/** What the library says, and what does the same here; where there is no such option, what else helps. */
const wordsFor = (command: string): readonly Words[] => [
  ["(validation)", "(--validation 0.1)"],
  ['(jitter: "auto")', "(--jitter auto)"],
  ["The state before this step is kept: save it. Then ", "What was trained before this step is saved. To go on, "],
  [/lower the learning rate(, or give maximumGradientNorm|, or raise the optimizer's epsilon)?/, "lower --rate"],
  ["steps of at least minimumStep", "steps that are not as small"],
  ["Raise the tolerances, lower minimumStep, or use a solver with fixed steps.", FIXED],
  ["fewer than maximumSteps", "fewer"],
  ["Raise the tolerances or maximumSteps, or use a solver with fixed steps.", FIXED],
  ["Take no validation,", "Take --validation none,"],
  ["a smaller batch,", "a smaller --batch,"],
  ["Give sample({ start: points }), row-major [count, D] in data units.", "Give --start FILE, or a data set by name."],
  ["closed of flowMapConsistency", "--data beside --consistency"],
  [
    "Give a function of all points, row-major, to their log-densities in nats.",
    "Name a set of the model's kind whose density is nowhere 0, or leave --data out.",
  ],
  [/^start to resume with/, "--start beside --resume"],
  [/^start of sample: got "points"/, '--start: got "points"'],
  ["Leave start out; createTrainer({ start }) trains", "Leave it out; train --start trains"],
  [/^(sigma|sigmaMin|sigmaMax|betaMin|betaMax|degree) of \w+:/, (_, name: string) => `--${dashed(name)}:`],
  [/^(regularisation|replacement|conditionCost) of \w+:/, (_, name: string) => `--${dashed(name)}:`],
  ["dataDeviation of withOutput", "--data-deviation"],
  ["path of withOutput", "--path beside --output"],
  ["by of weighted", "--weighting"],
  [
    /^every of weighted: got "(\d+), beside (\S+) with divergence 0"/,
    '--every: got "$1, beside $2 with --divergence 0"',
  ],
  ["loss of scoreMatching", "loss beside --with-score"],
  ["network beside scoreMatching", "network beside --with-score"],
  ["Give withScore(network, score).", "Begin at a model that was trained --with-score."],
  [/^loss of createTrainer: got "(cfm|fdm|paper-2d|weighted|score-matching) on/, '--loss: got "$1 on'],
  ["Take brownianBridge({ sigma }) of divflow/flows, or cfm();", "Take --path brownian-bridge, or --loss cfm;"],
  [/path beside a (start|coupling) of createTrainer/, "--path beside --$1"],
  ["Take condOT(), whose pairs", "Take --path cond-ot, whose pairs"],
  ["validation of createTrainer: got", "--validation: got"],
  ["batchSize beside coupling", "--batch beside --coupling"],
  [
    "Give conditionCost a weight, such as 100, or take independent()",
    "Give --condition-cost 100, or --coupling independent",
  ],
  ["conditionCost of coupling", "--condition-cost of coupling"],
  ["density of flowMapSteps", "--density"],
  ["steps of flowMapSteps", "--steps"],
  ["Take dopri5() or another solver of the flow, or", "Take --solver dopri5 or another one of the flow, or"],
  ["or take dopri5(), which", "or take --solver dopri5, which"],
  ["or the log-density of the flow by dopri5()", "or the log-density of the flow: --solver dopri5"],
  ["such as dopri5() or heun()", "such as --solver dopri5 or heun"],
  ["leave guidance out", "leave out --guidance"],
  ['estimator: "hutchinson"', "--estimator hutchinson"],
  ['divergence: "hutchinson" with few probes', estimated[command] ?? "fewer probes"],
];

/**
 * A message of the library, a trainer's warning or an error's, with the command's options in place of the library's.
 *
 * @param command - its name: not all have the same options.
 */
export function inOptions(message: string, command: string): string {
  return wordsFor(command).reduce((text, [ours, here]) => text.replace(ours, here as string), message);
}
