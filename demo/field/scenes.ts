/** Fields of the guided opening, by formula: no network, no training, the same on every device. */
import type { SceneChoice, Side } from "../messages.ts";
import type { Formula } from "./integrate.ts";
import { type Components, evenly, mixtureTruth } from "./mixture.ts";
import { radialTruth } from "./radial.ts";
import { DIVERGENCE, newLocal, type Truth, UX, UY } from "./truth.ts";
import { circles } from "./truths.ts";

/** One of the two pictures of a scene: what moves, and what it is held against. */
export interface SceneField {
  readonly formula: Formula;
  readonly truth: Truth;
  /** Means of the data's components, [count, 2], of deviation `deviation`. */
  readonly means: ArrayLike<number>;
  readonly weights: ArrayLike<number>;
  readonly deviation: number;
  /** Whether it looks the same from the middle in all directions. */
  readonly isRound: boolean;
}

const RINGS = { radii: [1.1, 2.3], noise: 0.22 };
const BLOBS = { radius: 2.2, deviation: 0.3 };

/** Both fields of a scene. */
export function sceneFields(scene: SceneChoice): Record<Side, SceneField> {
  if (scene.name === "transport") {
    const blobs = Array.from({ length: 5 }, (_, k) => (2 * Math.PI * k) / 5 + Math.PI / 2).flatMap((angle) => [
      BLOBS.radius * Math.cos(angle),
      BLOBS.radius * Math.sin(angle),
    ]);
    return {
      left: sceneField(evenly(blobs, BLOBS.deviation ** 2), BLOBS.deviation, swirl, 0),
      right: ringsField(swirl, 0),
    };
  }
  const { error, waves } = scene;
  return { left: ringsField(swirl, error), right: ringsField(ripple(waves), error) };
}

function ringsField(disturbance: Disturbance, error: number): SceneField {
  const components = circles(RINGS);
  return {
    ...sceneField(components, RINGS.noise, disturbance, error, radialTruth(mixtureTruth(components))),
    isRound: true,
  };
}

function sceneField(
  components: Components,
  deviation: number,
  disturbance: Disturbance,
  error: number,
  truth: Truth = mixtureTruth(components),
): SceneField {
  const { means, weights } = components;
  return { formula: disturbed(truth, disturbance, error), truth, means, weights, deviation, isRound: false };
}

/** A field beside the true one, by radius: what it has along the radius and across it, and its divergence. */
interface Disturbance {
  along(radius: number): number;
  across(radius: number): number;
  divergence(radius: number): number;
}

/** Turns everything about the middle: it has no divergence, and what is round stays as it is. */
export const swirl: Disturbance = { along: () => 0, across: (r) => Math.tanh(2 * r), divergence: () => 0 };

/** Pushes together and apart along the radius. */
export const ripple = (waves: number): Disturbance => ({
  along: (r) => Math.sin(waves * r),
  across: () => 0,
  divergence: (r) => waves * Math.cos(waves * r) + (r > 1e-6 ? Math.sin(waves * r) / r : waves),
});

/** Times at which a disturbance is measured; between two its size is taken as a line. */
const MEASURED = 24;

/** The true field and `error` times the disturbance, over the root mean square that this has at each time. */
function disturbed(truth: Truth, disturbance: Disturbance, error: number): Formula {
  const sizes = Array.from({ length: MEASURED + 1 }, (_, i) => rootMeanSquare(disturbance, truth, i / MEASURED));
  const out = newLocal();
  return (x, y, t, into) => {
    truth.at(x, y, t, out);
    const radius = Math.hypot(x, y);
    const place = Math.min(MEASURED - 1e-9, t * MEASURED);
    const [before, part] = [Math.floor(place), place - Math.floor(place)];
    const scale = error / (sizes[before]! * (1 - part) + sizes[before + 1]! * part);
    const [along, across] = [scale * disturbance.along(radius), scale * disturbance.across(radius)];
    const [cos, sin] = radius > 0 ? [x / radius, y / radius] : [1, 0];
    into[0] = out[UX]! + along * cos - across * sin;
    into[1] = out[UY]! + along * sin + across * cos;
    into[2] = out[DIVERGENCE]! + scale * disturbance.divergence(radius);
  };
}

/** Over p_t of what is round: by the density along one radius. */
function rootMeanSquare({ along, across }: Disturbance, truth: Truth, t: number): number {
  const out = newLocal();
  let [sum, total] = [0, 0];
  for (let r = 0.02; r < 5; r += 0.04) {
    truth.at(r, 0, t, out);
    const mass = r * Math.exp(out[0]!);
    sum += mass * (along(r) ** 2 + across(r) ** 2);
    total += mass;
  }
  return Math.sqrt(sum / total);
}
