/** Options that another option's choice makes void are refused: passed over without a word, they would mislead. */
import { ConfigError } from "../index.ts";
import { type ArgumentDeclarations, givenOptions } from "./arguments.ts";
import { pathsOf } from "./flow.ts";
import { addsNoise, FLOW_MAP, isAdaptive } from "./solver.ts";

interface Rule {
  readonly option: string;
  /** Whether this choice leaves the options in `makesVoid` without effect; undefined: that there is none. */
  readonly chosen: ((choice: string) => boolean) | undefined;
  readonly makesVoid: readonly string[];
  readonly because: string;
  /** An option beside which the rule does not hold. */
  readonly unless?: string;
}

const is = (choice: string) => (given: string) => given === choice;

const rules: readonly Rule[] = [
  {
    option: "solver",
    chosen: isAdaptive,
    makesVoid: ["steps", "grid"],
    because: "this one chooses its steps by --tolerance; others take a fixed number of them",
  },
  {
    option: "solver",
    chosen: (name) => !isAdaptive(name),
    makesVoid: ["tolerance"],
    because: "only dopri5 and its like have a tolerance; this solver takes --steps",
  },
  {
    option: "solver",
    chosen: (name) => !addsNoise(name),
    makesVoid: ["diffusion", "diffusion-kind"],
    because: "this one adds no noise on the way",
  },
  {
    option: "solver",
    chosen: (name) => name !== FLOW_MAP,
    makesVoid: ["density"],
    because: "it says what a flow map's log-densities are taken from",
  },
  {
    option: "solver",
    chosen: is(FLOW_MAP),
    makesVoid: ["grid", "divergence", "probes"],
    because: "a flow map's steps are of equal length, and its log-densities are those of --density",
  },
  {
    option: "log-density",
    chosen: undefined,
    makesVoid: ["density"],
    because: "it says what log-densities are taken from",
  },
  {
    option: "consistency",
    chosen: () => true,
    makesVoid: [
      ...["divergence", "probes", "density", "out", "format", "force", "shard"],
      ...["columns", "header", "skip-index", "decimal", "array", "label", "condition"],
    ],
    because: "it compares all log-densities that there are of samples of its own",
  },
  { option: "consistency", chosen: undefined, makesVoid: ["count"], because: "the points of --data are all judged" },
  {
    option: "divergence",
    chosen: is("exact"),
    makesVoid: ["probes", "seed"],
    because: "only hutchinson draws probes",
    unless: "consistency",
  },
  { option: "estimator", chosen: is("exact"), makesVoid: ["probe"], because: "the exact divergence draws no probes" },
  { option: "estimator", chosen: is("hutch++"), makesVoid: ["form"], because: "by hutch++ the form is residual" },
  {
    option: "loss",
    chosen: is("cfm"),
    makesVoid: ["divergence", "form", "velocity", "estimator", "probe", "every"],
    because: "cfm has no divergence loss",
  },
  {
    option: "loss",
    chosen: is("paper-2d"),
    makesVoid: ["form", "velocity", "estimator", "probe"],
    because: "of the divergence loss only its weight, --divergence, can be chosen there",
  },
  {
    option: "backend",
    chosen: (name) => name === "webgpu" || name === "reference",
    makesVoid: ["threads", "simd"],
    because: "that is for wasm",
  },
  {
    option: "network",
    chosen: () => true,
    makesVoid: ["width"],
    because: "networks have sizes of their own",
  },
  {
    option: "network",
    chosen: () => true,
    makesVoid: ["simd", "profile"],
    because: "networks are measured on the best build",
  },
  ...pathsOf.map(([option, of]) => ({
    option: "path",
    chosen: (name: string) => !of.includes(name),
    makesVoid: [option],
    because: `that is of ${of.join(", ")}`,
  })),
  {
    option: "coupling",
    chosen: (name) => name !== "entropic",
    makesVoid: ["regularisation"],
    because: "only entropic pairs have one",
  },
  {
    option: "coupling",
    chosen: is("independent"),
    makesVoid: ["replacement", "condition-cost"],
    because: "independent starts and data have no pairs to choose",
  },
  { option: "out", chosen: undefined, makesVoid: ["format", "force"], because: "nothing is written to a file" },
];

/**
 * Refuses what a choice makes void. A choice may be an option's default; a void option counts only where the command line
 * gives it.
 */
export function refuseVoid(rawArguments: readonly string[], declarations: ArgumentDeclarations): void {
  const given = givenOptions(rawArguments);
  for (const { option, chosen, makesVoid, because, unless } of rules) {
    const declared = declarations[option];
    const choice = given.get(option) ?? declared?.default ?? declared?.valueHint;
    if (!declared || declared.required) continue; // one that is missing is refused by itself
    if (unless !== undefined && given.has(unless)) continue;
    if (chosen ? typeof choice !== "string" || !chosen(choice) : given.has(option) || choice !== undefined) continue;
    const idle = makesVoid.find((name) => Object.hasOwn(declarations, name) && given.has(name));
    if (idle === undefined) continue;
    const value = declarations[idle]?.type === "boolean" ? "" : ` ${given.get(idle)}`;
    throw new ConfigError({
      subject: `--${idle}${value}`,
      given: chosen ? `beside ${given.has(option) ? "" : "the default "}--${option} ${choice}` : `without --${option}`,
      expected: "no such option there",
      remedy: `Leave it out, or ${chosen ? "choose another" : "give"} --${option}: ${because}.`,
    });
  }
}
