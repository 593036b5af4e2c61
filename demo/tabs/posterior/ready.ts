/** Simulators that the page has ready: their text, what is known beforehand, and where their posterior is known exactly. */
import type { Range } from "../plane.ts";
import { closedForm, type LogLikelihood, spreadAround } from "./exact.ts";

export interface ReadySimulator {
  readonly name: string;
  readonly title: string;
  /** What it is about, in a sentence or two. */
  readonly about: string;
  readonly code: string;
  /** Of each parameter: even between these. */
  readonly priors: readonly [Range, Range];
  /** What both numbers that come out are. */
  readonly data: readonly [string, string];
  /** Where the observation is at first. */
  readonly observation: readonly [number, number];
  /** Of what the text computes, in closed form or by solving it without its noise. */
  readonly likelihood: LogLikelihood;
}

const LOG_2PI = Math.log(2 * Math.PI);

const ballCode = `// A ball is thrown from shoulder height, with drag.
// Where does it land, and how high does it get?
({ angle, speed }, random) => {
  let x = 0, y = 1.6, top = 1.6;
  let u = speed * Math.cos(angle * Math.PI / 180);
  let v = speed * Math.sin(angle * Math.PI / 180);
  const step = 0.05;
  while (y > 0) {
    const drag = 0.012 * Math.hypot(u, v);
    u -= step * drag * u;
    v -= step * (9.81 + drag * v);
    x += step * u;
    y += step * v;
    top = Math.max(top, y);
  }
  x -= u * y / v; // back from below to the ground
  // Measured by pacing, and by eye.
  return [x + 1 * random.normal(), top + 3 * random.normal()];
}`;

const oscillatorCode = `// A weight on a spring is let go at 1.
// Where is it after one second, and after three?
({ stiffness, friction }, random) => {
  const d = friction / 2;
  const w = Math.sqrt(stiffness - d * d);
  const first = Math.exp(-d) * (Math.cos(w) + d / w * Math.sin(w));
  const second = Math.exp(-3 * d) * (Math.cos(3 * w) + d / w * Math.sin(3 * w));
  return [first + 0.06 * random.normal(), second + 0.06 * random.normal()];
}`;

const moonsCode = `// A point of a crescent, moved by both parameters:
// two crescents of them could have moved it there.
({ a, b }, random) => {
  const turn = Math.PI * (random.uniform() - 0.5);
  const radius = 0.3 + 0.05 * random.normal();
  const x = radius * Math.cos(turn) + 0.5 - Math.abs(a + b) / Math.SQRT2;
  const y = radius * Math.sin(turn) + (b - a) / Math.SQRT2;
  return [x, y];
}`;

const linearCode = `// Two numbers, mixed and measured with noise.
({ a, b }, random) => [
  a + 0.6 * b + 0.5 * random.normal(),
  b - 0.3 * a + 0.5 * random.normal(),
]`;

/** log N(radius; 0.3, 0.05), even in the angle, of the half in front. */
function crescent([a, b]: readonly [number, number], x: ArrayLike<number>): number {
  const across = (x[0] as number) - 0.5 + Math.abs(a + b) / Math.SQRT2;
  const up = (x[1] as number) - (b - a) / Math.SQRT2;
  const radius = Math.hypot(across, up);
  if (across <= 0) return Number.NEGATIVE_INFINITY;
  return -0.5 * (((radius - 0.3) / 0.05) ** 2 + LOG_2PI) - Math.log(0.05 * Math.PI * radius);
}

export const readySimulators: readonly ReadySimulator[] = [
  {
    ...{ name: "ball", title: "Ball with drag", code: ballCode },
    about:
      "Known: where it landed, and about how high it was. Wanted: how it was thrown. A flat, fast throw and a steep one land alike.",
    priors: [
      [5, 85],
      [5, 35],
    ],
    data: ["landed after, m", "highest, m"],
    observation: [30, 9],
    likelihood: spreadAround(ballCode, [1, 3]),
  },
  {
    ...{ name: "moons", title: "Two moons", code: moonsCode },
    about:
      "A known test, its crescents made wider: for each observation two of them are right, and a bell curve would lie between.",
    priors: [
      [-1, 1],
      [-1, 1],
    ],
    data: ["x", "y"],
    observation: [0, 0],
    likelihood: closedForm(192, crescent),
  },
  {
    ...{ name: "oscillator", title: "Damped oscillator", code: oscillatorCode },
    about:
      "Known: where the weight is at two times. Between them it may have swung once or twice: several springs explain the same data.",
    priors: [
      [2, 20],
      [0.05, 2.5],
    ],
    data: ["after 1 s", "after 3 s"],
    observation: [-0.2, 0.15],
    likelihood: spreadAround(oscillatorCode, [0.06, 0.06]),
  },
  {
    ...{ name: "linear", title: "Linear, with Gaussian noise", code: linearCode },
    about: "The simplest one: its posterior is a Gaussian, known in closed form. What the flow gives should be that.",
    priors: [
      [-3, 3],
      [-3, 3],
    ],
    data: ["first", "second"],
    observation: [0.5, 0.3],
    likelihood: spreadAround(linearCode, [0.5, 0.5]),
  },
];

export const readyNamed = (name: string): ReadySimulator | undefined =>
  readySimulators.find((one) => one.name === name);
