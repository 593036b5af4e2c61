/** Classes of data: which part of a named set a point is of. */
import type { DataSource } from "divflow";
import { type Components, mixtureTruth } from "./mixture.ts";
import type { Truth } from "./truth.ts";
import { componentsOf } from "./truths.ts";

export interface Classes {
  /** In the order of their numbers. */
  readonly names: readonly string[];
  /** The class that a point is of; of parts that overlap the most likely one. Undefined of points that came with labels. */
  at?(x: number, y: number): number;
  /** What is known of one class by itself; undefined: nothing. */
  truth?(label: number): Truth | undefined;
}

const numbered = (what: string, count: number) => Array.from({ length: count }, (_, i) => `${what} ${i + 1}`);

/** Distance from the upper half circle of the moons; turned by half a turn it is the lower one's. */
const fromUpper = (x: number, y: number) =>
  y > -0.5 ? Math.abs(Math.hypot(x + 1, y + 0.5) - 2) : Math.hypot(Math.abs(x + 1) - 2, y + 0.5);

/** By the sets' usual options; share/code.ts has the same as text. */
const rules: Readonly<Record<string, { names: readonly string[]; at: (x: number, y: number) => number }>> = {
  "eight-gaussians": {
    names: numbered("Gaussian", 8),
    at: (x, y) => (Math.round(Math.atan2(y, x) / (Math.PI / 4)) + 8) % 8,
  },
  moons: { names: ["upper moon", "lower moon"], at: (x, y) => (fromUpper(x, y) <= fromUpper(-x, -y) ? 0 : 1) },
  spirals: {
    names: numbered("arm", 2),
    at: (x, y) => {
      const angle = 3 * Math.hypot(x, y);
      return y * Math.sin(angle) >= x * Math.cos(angle) ? 0 : 1;
    },
  },
  pinwheel: {
    names: numbered("arm", 5),
    at: (x, y) => {
      const turned = Math.atan2(y, x) - 0.25 * Math.exp(Math.hypot(x, y) / 2);
      return ((Math.round((5 * turned) / (2 * Math.PI)) % 5) + 5) % 5;
    },
  },
  rings: {
    names: numbered("ring", 4),
    at: (x, y) => Math.min(3, Math.max(0, Math.round(Math.hypot(x, y) / 0.75) - 1)),
  },
};

/** Of a named set of the library; undefined where it has no parts. */
export function classesOf(source: Pick<DataSource, "name" | "options">): Classes | undefined {
  const rule = rules[source.name];
  if (!rule) return undefined;
  const known: (Truth | undefined)[] = [];
  return {
    ...rule,
    truth(label) {
      const components = componentsOf(source);
      if (!components) return undefined;
      known[label] ??= mixtureTruth(
        partOf(
          components,
          (i) => rule.at(components.means[2 * i] as number, components.means[2 * i + 1] as number) === label,
        ),
      );
      return known[label];
    },
  };
}

/** The components that are wanted, by themselves. */
export function partOf({ means, weights, variances }: Components, isOf: (component: number) => boolean): Components {
  const kept = Array.from(weights, (_, i) => i).filter(isOf);
  const total = kept.reduce((sum, i) => sum + (weights[i] as number), 0);
  return {
    means: kept.flatMap((i) => [means[2 * i] as number, means[2 * i + 1] as number]),
    weights: kept.map((i) => (weights[i] as number) / total),
    variances: kept.map((i) => variances[i] as number),
  };
}
