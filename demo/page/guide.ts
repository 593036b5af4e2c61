/** The guided opening: five steps, each on the two pictures, each with its numbers. */
import type { MapKind, SceneChoice, SceneFigures, Side } from "../messages.ts";
import { element } from "./elements.ts";
import type { Overlays } from "./layers.ts";

export interface GuideView {
  readonly scene: SceneChoice | null;
  readonly map: MapKind;
  readonly overlays: Overlays;
  readonly titles: Readonly<Record<Side, string>> | undefined;
  /** Whether time should run, where motion is welcome. */
  readonly plays: boolean;
}

interface Step {
  readonly title: string;
  /** Paragraphs. */
  readonly text: readonly string[];
  readonly view: GuideView;
  /** A sentence with the numbers of this step. */
  figures?(figures: Readonly<Record<Side, SceneFigures>>): string;
}

const none: Overlays = { particles: false, data: false, paths: false, arrows: false, lattice: false };
const ERROR = 0.35;
const errors = { name: "errors", error: ERROR, waves: 4 } as const satisfies SceneChoice;
const wrong = { left: "Field A", right: "Field B" } as const;
const two = (value: number) => value.toFixed(2);

const steps: readonly Step[] = [
  {
    title: "A field that moves points",
    text: [
      "512 random points, the same left and right. At each place and time a velocity field says where to go. Follow it from t = 0 to t = 1, and noise has become data: five blobs here, two rings there.",
      "A network that learns such a field is a generative model. Drag the time below the pictures, both ways.",
    ],
    view: {
      scene: { name: "transport", error: 0, waves: 1 },
      ...{ map: "none", overlays: { ...none, particles: true, arrows: true }, plays: true },
      titles: { left: "Five blobs", right: "Two rings" },
    },
  },
  {
    title: "Two fields, equally wrong",
    text: [
      "Both should make the rings. Both are off from the right velocity by the same amount, everywhere on the way. Matching velocities, the usual way to train, calls them equally good.",
    ],
    figures: ({ left, right }) =>
      `Velocity error: A ${two(left.velocityError)}, B ${two(right.velocityError)} (root mean square).`,
    view: {
      scene: errors,
      map: "none",
      overlays: { ...none, particles: true, paths: true },
      titles: wrong,
      plays: true,
    },
  },
  {
    title: "But their densities differ",
    text: [
      "The colour is the density each field ends with. A keeps the rings: its error turns everything about the middle, which moves no mass from where it should be. B's error pushes together and apart, and the rings come out in wrong places.",
    ],
    figures: ({ left, right }) =>
      `Mass in the wrong place: A ${Math.round(100 * left.distance)} %, B ${Math.round(100 * right.distance)} % (total variation ${two(left.distance)} and ${two(right.distance)}).`,
    view: { scene: errors, map: "density", overlays: none, titles: wrong, plays: false },
  },
  {
    title: "What tells them apart: the divergence",
    text: [
      "A velocity field spreads mass where its divergence is above 0, and gathers it below. The map is each field's divergence less the true one: blue gathers too much, orange spreads too much.",
      "Flow and divergence matching (FDM) trains on this error too. What it drives down is a bound: the mass in wrong places is never more.",
    ],
    figures: ({ left, right }) =>
      `Divergence error: A ${two(left.divergenceError)}, B ${two(right.divergenceError)}. Bound on the total variation: A ${two(left.bound)}, B ${two(right.bound)}.`,
    view: { scene: errors, map: "divergence-error", overlays: none, titles: wrong, plays: false },
  },
  {
    title: "Now you",
    text: [
      "These are two networks, of one size, one seed, one set of data. The left one matches velocities (CFM), the right one divergence too (FDM). Press Train, and watch the table: less is better in every row.",
      "Then draw your own data, move the divergence weight while it trains, or pin a run and change one thing.",
    ],
    view: {
      scene: null,
      ...{ map: "density", overlays: { ...none, particles: true }, titles: undefined, plays: false },
    },
  },
];

export class Guide {
  #step = -1;
  #figures: Readonly<Record<Side, SceneFigures>> | undefined;
  readonly #shown: (view: GuideView) => void;
  readonly #ended: () => void;

  constructor({ shown, ended }: { shown: (view: GuideView) => void; ended: () => void }) {
    this.#shown = shown;
    this.#ended = ended;
    element("guide-open").addEventListener("click", () => this.go(0, true));
    element("guide-next").addEventListener("click", () => {
      if (this.#step === steps.length - 1) this.end();
      else this.go(this.#step + 1, true);
    });
    element("guide-back").addEventListener("click", () => this.go(this.#step - 1, true));
    element("guide-skip").addEventListener("click", () => this.end());
  }

  get isOpen(): boolean {
    return this.#step >= 0;
  }

  /** Whether the pictures are of formulas, not of the models. */
  get view(): GuideView | undefined {
    return steps[this.#step]?.view;
  }

  takeFigures(figures: Readonly<Record<Side, SceneFigures>>): void {
    this.#figures = figures;
    this.#write();
  }

  /** @param isAsked - by the visitor, who is then led to the text. */
  go(step: number, isAsked: boolean): void {
    const next = steps[step];
    if (!next) return;
    if (JSON.stringify(next.view.scene) !== JSON.stringify(this.view?.scene)) this.#figures = undefined;
    this.#step = step;
    element("guide").hidden = false;
    document.body.dataset.guide = String(step + 1);
    element("guide-count").textContent = `${step + 1} of ${steps.length}`;
    element("guide-title").textContent = next.title;
    element<HTMLButtonElement>("guide-back").disabled = step === 0;
    element("guide-next").textContent = step === steps.length - 1 ? "Done" : "Next";
    element("guide-skip").hidden = step === steps.length - 1;
    this.#write();
    this.#shown(next.view);
    if (isAsked) element("guide-title").focus();
  }

  end(): void {
    if (!this.isOpen) return;
    this.#step = -1;
    element("guide").hidden = true;
    delete document.body.dataset.guide;
    this.#ended();
    element("start").focus();
  }

  #write(): void {
    const step = steps[this.#step];
    if (!step) return;
    const paragraphs = step.text.map((text) => {
      const paragraph = document.createElement("p");
      paragraph.textContent = text;
      return paragraph;
    });
    if (step.figures) {
      const figures = document.createElement("p");
      figures.className = "guide-figures";
      figures.textContent = this.#figures ? step.figures(this.#figures) : "Computing the numbers …";
      paragraphs.push(figures);
    }
    element("guide-text").replaceChildren(...paragraphs);
  }
}
