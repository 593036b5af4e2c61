/**
 * Cases of dynamical systems: `dynamics`, whose trajectories the host computes in f64 whatever the backend, and
 * `event-statistic`, functions of trajectories that samples are guided by.
 */
import { vjp } from "../../autodiff/vjp.ts";
import { fitzHughNagumoEvent, lorenzEvent } from "../../data/dynamics/events.ts";
import { Solution } from "../../data/dynamics/integrate.ts";
import {
  type DynamicalSystem,
  doublePendulumSystem,
  fitzHughNagumoSystem,
  harmonicOscillatorSystem,
  lorenzSystem,
  massMatrix,
  type SystemName,
  systems,
} from "../../data/dynamics/systems.ts";
import type { Node } from "../../graph/node.ts";
import { constant } from "../../ops/sources.ts";
import type { Fields } from "./case-fields.ts";
import { type HostQuantity, hostCase, once } from "./host-quantities.ts";
import { perRow } from "./mixture-case.ts";
import { quantitiesCase } from "./quantities.ts";

/** Files are made to 1e-10, which their systems make 80 times as much of. */
const TOLERANCE = 1e-13;

/** Samples of a trajectory: those that take longer diverge anyway. */
const MOST_SAMPLES = 100_000;

/** The system that the attributes name, with the parameters that they give it. */
const made: Readonly<Record<SystemName, (parameters: Fields) => DynamicalSystem>> = {
  lorenz: (parameters) => {
    parameters.only(["sigma", "rho", "beta"]);
    const [sigma, rho, beta] = [
      fraction(parameters, "sigma"),
      fraction(parameters, "rho"),
      fraction(parameters, "beta"),
    ];
    return lorenzSystem({ sigma, rho, beta });
  },
  "fitzhugh-nagumo": (parameters) => {
    parameters.only(["a", "b", "c", "k"]);
    const pair = (name: string) => parameters.numbers(name, 2) as [number, number];
    return fitzHughNagumoSystem({ a: pair("a"), b: pair("b"), c: pair("c"), k: fraction(parameters, "k") });
  },
  "harmonic-oscillator": (parameters) => {
    parameters.only([]);
    return harmonicOscillatorSystem();
  },
  "double-pendulum": (parameters) => {
    const fixed = { links: 2, masses: 1, lengths: 1, gravity: 1 };
    parameters.only(Object.keys(fixed));
    for (const [name, value] of Object.entries(fixed)) if (parameters.has(name)) parameters.choice(name, [value]);
    return doublePendulumSystem();
  },
};

export const dynamicsCase = hostCase({
  attributes: ["system", "parameters", "timeStep", "steps", "sampleFactor"],
  inputs: ["states", "initialState"],
  make({ attributes, inputs }) {
    const name = attributes.choice("system", Object.keys(systems) as SystemName[]);
    const system = made[name](attributes.object("parameters"));
    const { dimension, energy } = system;
    const factor = attributes.has("sampleFactor") ? fraction(attributes, "sampleFactor") : system.scale;
    if (Math.abs(factor / system.scale - 1) > 1e-12) {
      attributes.refuse("sampleFactor", factor, `${system.scale}, that of the data set`);
    }
    const steps = attributes.integer("steps", MOST_SAMPLES);
    const timeStep = attributes.positive("timeStep");
    const { shape, data } = inputs.tensor("states");
    const [count = 0] = shape;
    if (shape.length !== 2 || shape[1] !== dimension) inputs.refuse("states.shape", shape, `[n, ${dimension}]`);
    const states = Array.from({ length: count }, (_, i) => data.slice(i * dimension, (i + 1) * dimension));
    const start = inputs.tensor("initialState", [dimension]).data;
    const trajectory = once(() => {
      const solution = new Solution(system.rate, start, TOLERANCE, timeStep);
      return Array.from({ length: steps }, (_, i) => {
        if (i > 0) solution.advance(timeStep);
        return [...solution.state];
      });
    });
    const derivative = (state: readonly number[]) => {
      const rate = new Float64Array(dimension);
      system.rate(Float64Array.from(state), rate);
      return [...rate];
    };
    const quantities: Record<string, HostQuantity> = {
      derivative: { shape, value: () => states.flatMap(derivative) },
      trajectory: { shape: [steps, dimension], value: () => trajectory().flat() },
      samples: { shape: [steps, dimension], value: () => trajectory().flatMap((state) => system.toSample(state)) },
    };
    if (energy) {
      quantities["stateEnergy"] = { shape: [count], value: () => states.map(energy) };
      quantities["energy"] = { shape: [steps], value: () => trajectory().map(energy) };
    }
    if (name === "double-pendulum") {
      quantities["massMatrix"] = { shape: [count, 2, 2], value: () => states.flatMap(massMatrix) };
    }
    return quantities;
  },
});

const events = { lorenz: lorenzEvent, "fitzhugh-nagumo": fitzHughNagumoEvent } as const;

export const eventStatisticCase = quantitiesCase({
  attributes: ["system"],
  inputs: ["samples"],
  make(reader) {
    const name = reader.attributes.choice("system", Object.keys(events) as (keyof typeof events)[]);
    const tensor = reader.tensor("samples");
    const { dimension } = systems[name]();
    const { shape } = tensor;
    if (shape.length !== 3 || shape[2] !== dimension)
      reader.inputs.refuse("samples.shape", shape, `[B, L, ${dimension}]`);
    const samples = reader.node("samples", tensor);
    const statistic = events[name]({ samples });
    const [gradient] = vjp([statistic], [constant(1, statistic.shape)], [samples]);
    return { nodes: { statistic: perRow(statistic), gradient: gradient as Node } };
  },
});

/** A number, or a fraction as text, such as "8/3". */
function fraction(fields: Fields, name: string): number {
  const value = fields.value(name);
  const [, above, below] = typeof value === "string" ? (/^(\d+)\/([1-9]\d*)$/.exec(value) ?? []) : [];
  return above === undefined ? fields.number(name) : Number(above) / Number(below);
}
