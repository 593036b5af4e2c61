// Which spring, and how much friction, makes a swing like this one? Simulation-based inference: no likelihood, a simulator alone.
import { createRuntime, save } from "divflow";
import { loadPosterior, logUniform, posterior, uniform } from "divflow/posterior";

const times = Array.from({ length: 10 }, (_, i) => 0.4 * (i + 1));

/** A weight on a spring, let go at 1: where a noisy gauge sees it at these times. */
const simulate = (
  /** @type {{ stiffness: number, friction: number }} */ { stiffness, friction },
  /** @type {{ random: import("divflow/posterior").Random }} */ { random },
) => {
  const rate = Math.sqrt(Math.max(0, stiffness - friction ** 2 / 4));
  return times.map((t) => Math.exp((-friction * t) / 2) * Math.cos(rate * t) + 0.1 * random.normal());
};
const observation = [0.68, -0.05, -0.62, -0.72, -0.53, 0.1, 0.52, 0.61, 0.3, -0.11];

const runtime = await createRuntime({ threads: 2 }); // WebGPU on a real GPU, else WebAssembly
const result = await posterior(runtime, {
  prior: { stiffness: uniform({ low: 1, high: 16 }), friction: logUniform({ low: 0.01, high: 2 }) },
  simulate,
  observation,
  simulations: 5000,
  hidden: [64, 64, 64],
  steps: 3000,
  onProgress: ({ stage, done, total }) => done === total && console.log(`${stage}: ${done}`),
});
for (const warning of result.warnings) console.log(warning);

for (const { name, median, lower, upper } of await result.summary({ count: 2000, level: 0.9 })) {
  console.log(`${name}: ${median.toFixed(2)}, between ${lower.toFixed(2)} and ${upper.toFixed(2)} with 90 %`);
}
const { parameters, logDensity } = await result.mode();
console.log(`mode: stiffness ${parameters.stiffness[0].toFixed(2)}, log-density ${logDensity.toFixed(1)} nats`);

// Are such intervals to be trusted? By fresh simulations, and for another swing without further training.
const { coverage, pValue } = await result.calibrate({ simulations: 200, draws: 50 });
const [, , ninety] = coverage; // of 50, 80, 90 and 95 %
console.log(`calibration: p ${pValue.toFixed(2)}, 90 % intervals hold ${(100 * ninety.coverage[0]).toFixed(0)} %`);
const other = await result.sample({ count: 1000, observation: times.map((t) => Math.cos(3 * t)) });
console.log(
  `another swing: stiffness ${(other.parameters.stiffness.reduce((a, b) => a + b) / 1000).toFixed(2)}, true 9`,
);

await save(result, "spring.safetensors");
const again = await loadPosterior(runtime, await result.checkpoint()); // bounds, names and the observation are in the file
console.log(`from its file: ${(await again.sample({ count: 1 })).columns.join(", ")}`);
runtime.dispose();
