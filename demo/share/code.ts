/** A run as a program that anybody can run: TypeScript that Node, Deno and bundlers take as it stands. */
import { type SharedData, type SharedRun, type SharedSampler, sharedSets } from "./run.ts";

/** How a run is trained beside what its settings say. */
export interface Training {
  /** Of each model. */
  readonly steps: number;
  readonly batchSize: number;
  /** At the first step after the warm-up. */
  readonly learningRate: number;
  readonly warmUpSteps: number;
  /** It falls by this factor, every so many steps. */
  readonly fall: { readonly factor: number; readonly every: number };
}

/** As train/models.ts trains. */
export const usualTraining: Omit<Training, "steps"> = {
  ...{ batchSize: 512, learningRate: 5e-3, warmUpSteps: 100 },
  fall: { factor: 0.999, every: 10 },
};

/** The names of the library's makers of data sets. */
const makers: Readonly<Record<(typeof sharedSets)[number], string>> = {
  checkerboard: "checkerboard",
  "eight-gaussians": "eightGaussians",
  moons: "moons",
  spirals: "spirals",
  pinwheel: "pinwheel",
  rings: "rings",
};

/** The class of a point (x, y), from 0: as field/classes.ts has it. */
export const classRules: Readonly<Record<string, { readonly count: number; readonly rule: string }>> = {
  "eight-gaussians": { count: 8, rule: "(Math.round(Math.atan2(y, x) / (Math.PI / 4)) + 8) % 8" },
  moons: {
    count: 2,
    rule: `(y > -0.5 ? Math.abs(Math.hypot(x + 1, y + 0.5) - 2) : Math.hypot(Math.abs(x + 1) - 2, y + 0.5)) <=
    (y < 0.5 ? Math.abs(Math.hypot(x - 1, y - 0.5) - 2) : Math.hypot(Math.abs(x - 1) - 2, y - 0.5)) ? 0 : 1`,
  },
  spirals: {
    count: 2,
    rule: "y * Math.sin(3 * Math.hypot(x, y)) >= x * Math.cos(3 * Math.hypot(x, y)) ? 0 : 1",
  },
  pinwheel: {
    count: 5,
    rule: "((Math.round((5 * (Math.atan2(y, x) - 0.25 * Math.exp(Math.hypot(x, y) / 2))) / (2 * Math.PI)) % 5) + 5) % 5",
  },
  rings: { count: 4, rule: "Math.min(3, Math.max(0, Math.round(Math.hypot(x, y) / 0.75) - 1))" },
};

/** As train/data.ts draws, and train/models.ts trains. */
const LABELLED_POINTS = 16_384;
const UNTOLD = 0.15;

/** The program of a run: it trains both models from the run's seed, tells their losses, and draws samples of each. */
export function codeOf(run: SharedRun, { steps, ...given }: { readonly steps: number } & Partial<Training>): string {
  const { batchSize, learningRate, warmUpSteps, fall } = { ...usualTraining, ...given };
  const { width, layers, seed, backend, weights, sampler } = run;
  const classes = run.byClass && run.data.kind === "named" ? classRules[run.data.name] : undefined;
  const data = dataCode(run.data);
  const told = classes && toldCode(classes.count, sampler);
  const losses = [weights.left, weights.right].map(lossCode);
  const imports = [
    ...[
      "adam",
      "condOT",
      "createRuntime",
      "createTrainer",
      "mlp",
      "product",
      "staircase",
      "warmUp",
      data.maker,
      sampler.solver,
      ...(classes ? ["arrayData", "classes", "sampleData"] : []),
      ...(run.view?.jumps ? ["cosineDecay"] : []),
    ],
    ...losses.map((loss) => loss.slice(0, loss.indexOf("("))),
  ];
  const map = run.view?.jumps && mapCode(run.view.jumps, { ...run, batchSize, warmUpSteps, told });
  return `// npm install divflow
import { ${[...new Set(imports)].sort().join(", ")} } from "divflow";
${map ? `import { ${mapImports.join(", ")} } from "divflow/flows";\n` : ""}
const runtime = await createRuntime({ backend: ${JSON.stringify(backend)} });
console.log(runtime.reason);

${classes ? labelledCode(data.code, classes.rule, seed) : `const data = ${data.code};`}
const losses = {
  left: ${losses[0]},
  right: ${losses[1]},
};
for (const [name, loss] of Object.entries(losses)) {
  const trainer = await createTrainer(runtime, {
    network: mlp({ dimension: 2, hidden: ${JSON.stringify(Array.from({ length: layers }, () => width))}, activation: "silu"${told ? `, conditions: ${told.declared}` : ""} }),
    path: condOT(),
    loss,
    optimizer: adam({
      learningRate: product(${learningRate}, warmUp({ steps: ${warmUpSteps} }), staircase({ factor: ${fall.factor}, every: ${fall.every} })),
    }),
    data,
    batchSize: ${batchSize},
    seed: ${seed},
  });
  for await (const { step, velocityLoss } of trainer.run({ steps: ${steps}, progressEvery: ${Math.max(1, Math.ceil(steps / 10))} })) {
    console.log(name, "step", step, "velocity loss", velocityLoss.toFixed(4));
  }
  const samples = await trainer.model.sample({ count: 1000, solver: ${solverCode(sampler)}, seed: ${seed}${told ? `, ${told.given}${told.guided}` : ""} });
  console.log(name, "samples", samples.shape, samples.values.slice(0, 6));
${map || ""}}
runtime.dispose();
`;
}

/** Points drawn once, and the class of each. */
function labelledCode(maker: string, rule: string, seed: number): string {
  return `const points = sampleData(${maker}, ${LABELLED_POINTS}, ${seed});
const labels = Uint32Array.from({ length: ${LABELLED_POINTS} }, (_, i) => {
  const [x, y] = [points[2 * i], points[2 * i + 1]];
  return ${rule};
});
const data = arrayData(points, [${LABELLED_POINTS}, 2], { conditions: { label: labels } });`;
}

interface ToldCode {
  readonly declared: string;
  readonly given: string;
  readonly guided: string;
}

function toldCode(count: number, { label, guidance = 1 }: SharedSampler): ToldCode {
  const labels = label === undefined ? `Array.from({ length: 1000 }, (_, i) => i % ${count})` : String(label);
  return {
    declared: `{ label: classes(${count}, { drop: ${UNTOLD} }) }`,
    given: `conditions: { label: ${labels} }`,
    guided: guidance === 1 ? "" : `, guidance: ${guidance}`,
  };
}

const mapImports = ["flowMap", "flowMapSteps", "frozenField", "meanFlow"] as const;
/** As train/one-step.ts trains. */
const mapTraining = { steps: 4000, learningRate: 3e-3, last: 0.02, equal: 0.25, decay: 0.995 };

/** The one-step map of the right model, inside the loop over both. */
function mapCode(
  jumps: number,
  given: SharedRun & Pick<Training, "batchSize" | "warmUpSteps"> & { readonly told: ToldCode | undefined },
): string {
  const { width, layers, seed, batchSize, warmUpSteps, told } = given;
  const { steps, learningRate, last, equal, decay } = mapTraining;
  const hidden = JSON.stringify(Array.from({ length: layers }, () => width));
  return `  if (name === "left") continue;

  // A flow map, taught by the right model: samples with their log-densities in ${jumps === 1 ? "one evaluation" : `${jumps} evaluations`}.
  const map = await createTrainer(runtime, {
    network: flowMap({ network: mlp({ dimension: 3, hidden: ${hidden}, activation: "silu"${told ? `, conditions: ${told.declared}` : ""} }) }),
    path: condOT(),
    loss: meanFlow({ teacher: await frozenField(await trainer.checkpoint()), estimator: "exact", equal: ${equal} }),
    optimizer: adam({
      learningRate: product(${learningRate}, warmUp({ steps: ${Math.min(50, warmUpSteps)} }), cosineDecay({ steps: ${steps}, final: ${last} })),
    }),
    ema: { decay: ${decay} },
    data,
    batchSize: ${batchSize},
    seed: ${seed},
  });
  for await (const { step, velocityLoss } of map.run({ steps: ${steps}, progressEvery: ${steps / 10} })) {
    console.log("map step", step, "loss", velocityLoss.toFixed(4));
  }
  const few = await map.model.sample({ count: 1000, solver: flowMapSteps({ steps: ${jumps} }), logDensity: true, seed: ${seed}${told ? `, ${told.given}` : ""} });
  console.log("map samples", few.shape, few.values.slice(0, 6), few.logDensity?.values.slice(0, 3));
`;
}

function lossCode(weight: number): string {
  return weight === 0 ? "cfm()" : `fdm({ divergence: ${weight}, form: "slice", detachVelocity: true })`;
}

function solverCode({ solver, steps, tolerance }: SharedSampler): string {
  if (solver !== "dopri5") return `${solver}({ steps: ${steps} })`;
  return `dopri5({ absoluteTolerance: ${tolerance}, relativeTolerance: ${tolerance} })`;
}

/** Numbers of points on a line of the program. */
const PER_LINE = 8;

function dataCode(data: SharedData): { readonly maker: string; readonly code: string } {
  if (data.kind === "named") {
    const name = sharedSets.find((one) => one === data.name);
    if (!name) throw new RangeError(`No data set is called ${data.name}.`);
    return { maker: makers[name], code: `${makers[name]}()` };
  }
  const { points, deviation } = data;
  const pairs = Array.from({ length: points.length / 2 }, (_, i) => `[${points[2 * i]}, ${points[2 * i + 1]}]`);
  const lines = Array.from({ length: Math.ceil(pairs.length / PER_LINE) }, (_, i) =>
    pairs.slice(i * PER_LINE, (i + 1) * PER_LINE).join(", "),
  );
  const means = `[\n    ${lines.join(",\n    ")},\n  ]`;
  const variances = `new Array(${pairs.length}).fill(${deviation ** 2})`;
  return { maker: "gaussianMixture", code: `gaussianMixture({\n  means: ${means},\n  variances: ${variances},\n})` };
}
