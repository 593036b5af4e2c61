/** The tab "trajectories": true ones beside a shipped model's, asked for events, and trained on. All work is done in worker.ts. */
import { Announcer } from "../../page/announce.ts";
import { readTheme, type Theme } from "../../page/colours.ts";
import { element } from "../../page/elements.ts";
import { shortNumber } from "../../page/words.ts";
import { Plane } from "../plane.ts";
import { drawAgain, type Standing, showStanding, statusOf } from "../shipped/standing.ts";
import type { Tab } from "../tabs.ts";
import { markup } from "./markup.ts";
import type { Drawn, FromWorker, News, Question, ToWorker } from "./messages.ts";
import { type EventKind, eventOf, holdsIn, type ShownSystem, shownSystems, systemNamed } from "./systems.ts";

type Opened = Extract<News, { kind: "opened" }>;

/** Trajectories that are drawn. */
const LINES = 24;
const none = "none";

export function open(panel: HTMLElement): Tab {
  panel.innerHTML = markup;
  return new TrajectoriesPage();
}

const field = (name: string) => element<HTMLInputElement>(`trajectories-${name}`);

class TrajectoriesPage implements Tab {
  readonly #worker = new Worker(new URL("trajectories-worker.js", document.baseURI), { type: "module" });
  readonly #announcer = new Announcer(
    () => `${statusOf(this.#standing)} ${this.#described("right")}`,
    "trajectories-announcement",
  );
  #state: Standing["state"] = "opening";
  #attempt = 0;
  #system: ShownSystem = shownSystems[0] as ShownSystem;
  #opened: Opened | undefined;
  #drawn: Drawn | undefined;
  /** Drawn without an event, of the same step: what guidance is held against. */
  #free: Drawn | undefined;
  #training = { step: 0, seconds: 0, loss: 0 };
  #message = "";
  #theme: Theme = readTheme();
  #isDrawn = true;

  constructor() {
    this.#worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
      if (data.attempt === this.#attempt) this.#take(data);
    });
    this.#worker.addEventListener("error", ({ message }) => this.#fail(message || "The worker could not be started."));
    field("system").addEventListener("change", () => this.#open());
    field("backend").addEventListener("change", () => this.#open());
    field("weight").addEventListener("change", () =>
      this.#send({ kind: "weigh", weight: Number(field("weight").value) }),
    );
    field("event").addEventListener("change", () => {
      this.#showEvent();
      this.#ask();
    });
    for (const name of ["threshold", "strength"]) {
      field(name).addEventListener("input", () => {
        this.#showValues();
        this.#tell();
        this.#draw();
      });
    }
    for (const name of ["threshold", "strength", "steps", "seed"])
      field(name).addEventListener("change", () => this.#ask());
    element("trajectories-again").addEventListener("click", () => {
      drawAgain(field("seed"));
      this.#ask();
    });
    element("trajectories-start").addEventListener("click", () => {
      const isRunning = this.#state === "running";
      this.#state = isRunning ? "ready" : "running";
      this.#send({ kind: isRunning ? "pause" : "start" });
      this.#tell();
    });
    const sizes = new ResizeObserver(() => this.#draw());
    for (const id of ["true", "drawn", "true-series", "drawn-series"]) sizes.observe(element(`trajectories-${id}`));
    this.#open();
  }

  shown(): void {
    this.recolour();
  }

  /** What was learned stays; training waits. */
  hidden(): void {
    if (this.#state === "running") this.#send({ kind: "pause" });
  }

  recolour(): void {
    this.#theme = readTheme();
    this.#draw();
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #open(): void {
    this.#system = systemNamed(field("system").value);
    const { name, about, events } = this.#system;
    element("trajectories-about").textContent = about;
    element("trajectories-event").replaceChildren(
      new Option("are as learned", none),
      ...events.map((event) => new Option(event.title, event.name)),
    );
    this.#showEvent();
    this.#state = "opening";
    this.#opened = this.#drawn = this.#free = undefined;
    this.#training = { step: 0, seconds: 0, loss: 0 };
    const address = new URL(`models/${name}.safetensors`, document.baseURI).href;
    const weight = Number(field("weight").value);
    const backend = field("backend").value as "auto" | "webgpu" | "wasm";
    this.#send({ kind: "open", attempt: ++this.#attempt, system: name, address, backend, weight });
    this.#ask();
  }

  get #event(): EventKind | undefined {
    return eventOf(this.#system, field("event").value);
  }

  #showEvent(): void {
    const event = this.#event;
    element("trajectories-asked").hidden = event === undefined;
    if (!event) return;
    const slider = field("threshold");
    [slider.min, slider.max, slider.value] = [...event.range, event.start].map(String) as [string, string, string];
    this.#showValues();
  }

  #showValues(): void {
    for (const name of ["threshold", "strength"]) {
      element(`trajectories-${name}-value`).textContent = shortNumber(field(name).valueAsNumber);
    }
  }

  #ask(): void {
    const event = this.#event;
    const question: Question = {
      event: event && {
        name: event.name,
        threshold: field("threshold").valueAsNumber,
        strength: field("strength").valueAsNumber,
      },
      ...{ steps: Number(field("steps").value), seed: Math.max(0, Math.trunc(Number(field("seed").value))) },
    };
    this.#send({ kind: "ask", question });
    this.#tell();
  }

  #take(news: FromWorker): void {
    switch (news.kind) {
      case "opened":
        this.#opened = news;
        this.#state = "ready";
        break;
      case "drawn":
        this.#drawn = news.drawn;
        if (!news.drawn.question.event) this.#free = news.drawn;
        break;
      case "trained":
        this.#training = news;
        break;
      case "paused":
        if (this.#state === "running") this.#state = "ready";
        break;
      case "failed":
        this.#fail(news.message);
        return;
    }
    this.#tell();
    this.#draw();
  }

  #fail(message: string): void {
    this.#state = "failed";
    this.#message = message;
    this.#tell();
  }

  get #standing(): Standing {
    const found = this.#drawn;
    const drawn =
      found && found.values.length >= found.wanted * this.#size
        ? `${found.wanted} trajectories in ${(found.milliseconds / 1000).toFixed(1)} s, ${found.evaluations} evaluations of the network each.`
        : undefined;
    const { device = "" } = this.#opened ?? {};
    return { state: this.#state, message: this.#message, training: this.#training, device, drawn };
  }

  get #size(): number {
    return (this.#opened?.length ?? 0) * this.#system.coordinates.length;
  }

  /** The trajectories of a side; true ones are those where the event holds. */
  #rows(side: "left" | "right"): Float32Array {
    const all = side === "left" ? this.#opened?.truth : this.#drawn?.values;
    if (!all || !this.#opened) return new Float32Array(0);
    const event = this.#event;
    if (!event || side === "right") return all;
    const holds = this.#holds(all, event);
    const size = this.#size;
    return Float32Array.from(
      { length: size * holds.filter(Boolean).length },
      (() => {
        const rows = holds.flatMap((is, i) => (is ? [i] : []));
        return (_: unknown, at: number) => all[(rows[Math.floor(at / size)] as number) * size + (at % size)] as number;
      })(),
    );
  }

  #holds(values: ArrayLike<number>, event: EventKind): boolean[] {
    const { coordinates } = this.#system;
    return holdsIn(
      values,
      { size: this.#size, coordinates: coordinates.length },
      event,
      field("threshold").valueAsNumber,
    );
  }

  /** "12 %", of those where the event holds. */
  #share(values: ArrayLike<number> | undefined): string {
    const event = this.#event;
    if (!event || !values || values.length === 0) return "–";
    const holds = this.#holds(values, event);
    const share = holds.filter(Boolean).length / holds.length;
    const error = Math.sqrt((share * (1 - share)) / holds.length);
    return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} ± ${(100 * error).toFixed(share < 0.1 ? 1 : 0)} %`;
  }

  #described(side: "left" | "right"): string {
    const opened = this.#opened;
    if (!opened) return "Preparing";
    const event = this.#event;
    const values = side === "left" ? opened.truth : this.#drawn?.values;
    const of =
      side === "left"
        ? "True trajectories"
        : `Trajectories of the model${this.#training.step > 0 ? `, trained on by ${this.#training.step} steps` : ""}`;
    const asked = event
      ? ` The event, ${event.title} at T = ${shortNumber(field("threshold").valueAsNumber)}, holds in ${this.#share(values)}.`
      : "";
    return `${of} of ${this.#system.title}, as curves of ${this.#names().join(" and ")}.${asked}`;
  }

  #names(): readonly [string, string] {
    const { coordinates, plane } = this.#system;
    return [coordinates[plane[0]] as string, coordinates[plane[1]] as string];
  }

  #tell(): void {
    showStanding("trajectories", this.#standing);
    const drawn = this.#drawn;
    const done = drawn && this.#size > 0 ? drawn.values.length / this.#size / drawn.wanted : 0;
    element<HTMLProgressElement>("trajectories-progress").value = done;
    const opened = this.#opened;
    if (opened) {
      element("trajectories-model").textContent =
        `The shipped model has ${Math.round(opened.bytes / 1000)} kB, and was trained on 4,000 trajectories. Training on takes 1,000 others.`;
      const count = this.#rows("left").length / this.#size;
      element("trajectories-true-note").textContent = this.#event
        ? `${count} of ${opened.truth.length / this.#size}`
        : `${LINES} of ${count}`;
      element("trajectories-drawn-note").textContent = drawn?.question.event ? "guided" : "as learned";
    }
    this.#showFigures();
    this.#announcer.announce();
  }

  #showFigures(): void {
    const [drawn, truth] = [this.#drawn, this.#opened?.truth];
    const isGuided = drawn?.question.event !== undefined;
    const event = this.#event;
    const lines: (readonly [string, string, string])[] = [
      ["Off the equations", "0", drawn?.defect === undefined ? "–" : drawn.defect.toFixed(2)],
    ];
    if (event) {
      lines.unshift(
        [`${capital(event.title)}`, this.#share(truth), isGuided ? this.#share(drawn?.values) : "–"],
        ["the same, not asked for", this.#share(truth), this.#share(this.#free?.values)],
      );
    }
    element("trajectories-figures").replaceChildren(
      ...lines.map(([name, ...cells]) => {
        const row = document.createElement("tr");
        const head = document.createElement("th");
        head.scope = "row";
        head.textContent = name;
        row.append(head, ...cells.map((cell) => Object.assign(document.createElement("td"), { textContent: cell })));
        return row;
      }),
    );
  }

  /** All four pictures, once a frame at most. */
  #draw(): void {
    if (!this.#isDrawn) return;
    this.#isDrawn = false;
    requestAnimationFrame(() => {
      this.#isDrawn = true;
      this.#drawSide("left", "true");
      this.#drawSide("right", "drawn");
    });
  }

  #drawSide(side: "left" | "right", id: string): void {
    const {
      plane: [across, up],
      box,
      series,
      seriesRange,
      timeStep,
      coordinates,
    } = this.#system;
    const rows = this.#rows(side);
    const [theme, size, width] = [this.#theme, this.#size, coordinates.length];
    if (size === 0) return;
    const length = size / width;
    const count = Math.min(LINES, rows.length / size);
    const line = (i: number, x: (at: number) => number, k: number) =>
      Float32Array.from({ length: 2 * length }, (_, j) => {
        const at = j >> 1;
        return j % 2 === 0 ? x(at + i * length) : (rows[i * size + at * width + k] as number);
      });
    const value = (k: number) => (at: number) => rows[at * width + k] as number;
    const time = (at: number) => (at % length) * timeStep;
    const paint = (
      name: string,
      options: { box: typeof box; names: readonly [string, string] },
      curves: Float32Array[],
      isSeries: boolean,
    ) => {
      const canvas = element<HTMLCanvasElement>(name);
      const plane = Plane.cleared(canvas, { theme, ...options });
      if (!plane) return;
      const colour = theme[side];
      plane.curves(curves.slice(1), { colour, width: 1, alpha: isSeries ? 0.28 : 0.32 });
      if (curves[0]) plane.curves([curves[0]], { colour: theme.ink, width: 1.8, alpha: 0.95 });
      if (isSeries && this.#event) plane.level(field("threshold").valueAsNumber, theme.soft);
      plane.axes();
      canvas.setAttribute("aria-label", this.#described(side));
    };
    const all = Array.from({ length: count }, (_, i) => i);
    paint(
      `trajectories-${id}`,
      { box, names: this.#names() },
      all.map((i) => line(i, value(across), up)),
      false,
    );
    paint(
      `trajectories-${id}-series`,
      { box: [[0, (length - 1) * timeStep], seriesRange], names: ["time", coordinates[series] as string] },
      all.map((i) => line(i, time, series)),
      true,
    );
  }
}

const capital = (text: string) => text[0]?.toUpperCase() + text.slice(1);
