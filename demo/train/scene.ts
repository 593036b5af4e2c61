/** A scene of the guide, shown by the same pictures as models are. */
import { gaussianMixture, sampleData } from "divflow";
import type { Breather } from "../field/integrate.ts";
import { byRadius } from "../field/radial.ts";
import { type SceneField, sceneFields } from "../field/scenes.ts";
import { LOG, newLocal } from "../field/truth.ts";
import { type Look, type SceneChoice, type SceneFigures, type Side, sides } from "../messages.ts";
import { type Flow, formulaFlow } from "./flow.ts";
import { fieldErrors, totalVariation } from "./judge.ts";
import { densityOf, framesOf, sliceOf } from "./look.ts";
import { noiseOf } from "./noise.ts";
import type { Send } from "./session.ts";

export const SCENE_EXTENT = 3.6;
/** Rings are round, and need one radius; blobs are asked at each cell. */
const ROUND = { particles: 512, lattice: 17, cells: 120, steps: 12 };
const BLOBS = { ...ROUND, cells: 40 };
const POINTS = 1024;
const SEED = 7;

export class Scene {
  readonly #fields: Record<Side, SceneField>;
  readonly #flows: Record<Side, Flow>;
  readonly #send: Send;
  readonly #noise = noiseOf(POINTS, SEED);
  readonly #error: number;
  readonly #hasFigures: boolean;
  #due = { frames: true, slices: true, figures: true };

  constructor(choice: SceneChoice, send: Send) {
    this.#send = send;
    this.#fields = sceneFields(choice);
    this.#error = choice.error;
    this.#hasFigures = choice.name === "errors";
    const flow = (side: Side) => {
      const own = formulaFlow(this.#fields[side].formula, breathing());
      return this.#fields[side].isRound ? roundFlow(own) : own;
    };
    this.#flows = { left: flow("left"), right: flow("right") };
  }

  get isDue(): boolean {
    return this.#due.frames || this.#due.slices || (this.#hasFigures && this.#due.figures);
  }

  redraw(withFrames: boolean): void {
    this.#due.slices = true;
    this.#due.frames ||= withFrames;
  }

  /** One kind of picture at a time, so that news is heard soon. */
  async show(look: Look, hasNews: () => boolean): Promise<void> {
    if (this.#due.frames) {
      this.#due.frames = false;
      const sampler = { solver: "rk4", steps: 20, tolerance: 1e-4 } as const;
      for (const side of sides) {
        const frames = await framesOf(this.#flows[side], this.#noise, ROUND, { ...look, sampler });
        this.#send({ kind: "frames", side, step: 0, isScene: true, frames: { ...frames, evaluations: undefined } });
      }
      return;
    }
    if (this.#due.slices) {
      this.#due.slices = false;
      for (const side of sides) {
        if (hasNews()) {
          this.#due.slices = true;
          return;
        }
        const { truth } = this.#fields[side];
        const slice = await sliceOf({
          ...{ flow: this.#flows[side], truth, logDensity: densityAtEnd(this.#fields[side]) },
          ...{ extent: SCENE_EXTENT, effort: this.#fields[side].isRound ? ROUND : BLOBS, look },
        });
        this.#send({ kind: "slice", side, step: 0, isScene: true, slice });
      }
      return;
    }
    this.#due.figures = false;
    this.#send({
      kind: "scene-figures",
      figures: { left: await this.#figures("left"), right: await this.#figures("right") },
    });
  }

  async #figures(side: Side): Promise<SceneFigures> {
    const field = this.#fields[side];
    const data = dataOf(field, POINTS);
    const errors = await fieldErrors(this.#flows[side], field.truth, this.#noise, data);
    const density = await densityOf(this.#flows[side], ROUND.cells, SCENE_EXTENT, 1);
    return {
      // The fields are made with this error at each time; points that are drawn have it to 1 %.
      velocityError: this.#error,
      ...{ divergenceError: errors.divergence, bound: errors.bound },
      distance: totalVariation(density, densityAtEnd(field), SCENE_EXTENT),
    };
  }
}

/** What is the same all around is computed along one radius. */
function roundFlow(flow: Flow): Flow {
  return {
    ...flow,
    divergence: (points, t) =>
      typeof t === "number" ? byRadius(points, (radii) => flow.divergence(radii, t)) : flow.divergence(points, t),
    logDensity: (points, t) => byRadius(points, (radii) => flow.logDensity(radii, t)),
  };
}

function densityAtEnd({ truth }: SceneField): (x: number, y: number) => number {
  const out = newLocal();
  return (x, y) => {
    truth.at(x, y, 1, out);
    return out[LOG] as number;
  };
}

/** Points of the scene's data. Rings have as many on each circle as it weighs. */
export function dataOf({ means, deviation, weights }: SceneField, count: number): Float32Array {
  const rows = Array.from({ length: means.length / 2 }, (_, i) => [means[2 * i] as number, means[2 * i + 1] as number]);
  const source = gaussianMixture({
    means: rows,
    variances: rows.map(() => deviation ** 2),
    weights: Array.from(weights),
  });
  return Float32Array.from(sampleData(source, count, SEED));
}

/** Lets messages in each 20 ms. */
function breathing(): Breather {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < 20) return;
    await new Promise<void>((resolve) => setTimeout(resolve));
    last = performance.now();
  };
}
