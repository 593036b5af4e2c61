/** The tab "posterior": a simulator, what was observed, and the parameters that could have made it. All work is done in worker.ts. */
import { Announcer } from "../../page/announce.ts";
import { readTheme, type Table, type Theme, tableOf } from "../../page/colours.ts";
import { element } from "../../page/elements.ts";
import type { Range } from "../plane.ts";
import { Plane } from "../plane.ts";
import type { Tab } from "../tabs.ts";
import { descriptionOf, figuresOf, type Known } from "./figures.ts";
import { markup } from "./markup.ts";
import type { FromWorker, PosteriorSettings, ToWorker } from "./messages.ts";
import { Observation } from "./observation.ts";
import { readyNamed, readySimulators } from "./ready.ts";
import { simulatorOf } from "./script/simulator.ts";
import { Fault } from "./script/tokens.ts";

type State = "preparing" | "ready" | "running" | "done" | "failed";

export function open(panel: HTMLElement): Tab {
  panel.innerHTML = markup;
  return new PosteriorPage();
}

class PosteriorPage implements Tab {
  readonly #worker = new Worker(new URL("posterior-worker.js", document.baseURI), { type: "module" });
  readonly #observation = new Observation(
    () => this.#observed(),
    () => this.#draw(),
  );
  readonly #announcer = new Announcer(
    () => `${this.#status()} ${descriptionOf(this.#known)}`,
    "posterior-announcement",
  );
  #state: State = "preparing";
  #attempt = 0;
  /** What there is, and what was asked for last. */
  #settings: PosteriorSettings | undefined;
  #asked: PosteriorSettings | undefined;
  #known: Known = { ...{ simulated: undefined, answer: undefined, judged: undefined, compared: undefined } };
  #training = { step: 0, seconds: 0 };
  #message = "";
  #theme: Theme = readTheme();
  #table: Table = tableOf("density", this.#theme);
  #isDrawn = true;

  constructor() {
    this.#worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
      if (data.attempt === this.#attempt) this.#take(data);
    });
    this.#worker.addEventListener("error", ({ message }) => this.#fail(message || "The worker could not be started."));
    element("posterior-start").addEventListener("click", () => this.#startOrPause());
    element("posterior-reset").addEventListener("click", () => this.#prepare());
    element("posterior-use").addEventListener("click", () => this.#prepare());
    const names = ["simulations", "steps", "weight", "noise", "seed", "backend"];
    for (const name of names) element(`posterior-${name}`).addEventListener("change", () => this.#prepare());
    element("posterior-ready").addEventListener("change", () => {
      this.#choose(element<HTMLSelectElement>("posterior-ready").value);
      this.#prepare();
    });
    element("posterior-code").addEventListener("input", () => this.#edited());
    const sizes = new ResizeObserver(() => this.#draw());
    for (const id of ["posterior-data", "posterior-parameters"]) sizes.observe(element(id));
    this.#choose((readySimulators[0] as (typeof readySimulators)[number]).name);
    this.#prepare();
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
    this.#table = tableOf("density", this.#theme);
    this.#draw();
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #choose(name: string): void {
    const ready = readyNamed(name);
    if (!ready) return;
    element<HTMLTextAreaElement>("posterior-code").value = ready.code;
    element("posterior-about").textContent = ready.about;
    this.#showPriors(simulatorOf(ready.code).parameters, ready.priors);
    this.#showFault();
  }

  /** What is wrong is said while it is written; a text with other parameters gets other fields. */
  #edited(): void {
    const { value } = element<HTMLTextAreaElement>("posterior-code");
    const ready = readySimulators.find(({ code }) => code === value);
    element<HTMLSelectElement>("posterior-ready").value = ready?.name ?? "own";
    element("posterior-about").textContent =
      ready?.about ?? "Your own. No exact posterior is known of it, as of most simulators.";
    try {
      const { parameters } = simulatorOf(value);
      const priors = this.#priors();
      if (parameters.join() !== this.#priorNames().join()) this.#showPriors(parameters, priors);
      this.#showFault();
    } catch (error) {
      this.#showFault(error);
    }
  }

  #showFault(error?: unknown): void {
    const fault = element("posterior-fault");
    fault.hidden = error === undefined;
    fault.textContent = error === undefined ? "" : error instanceof Error ? error.message : String(error);
    const code = element<HTMLTextAreaElement>("posterior-code");
    code.setAttribute("aria-invalid", String(error instanceof Fault));
  }

  #showPriors(names: readonly string[], priors: readonly [Range, Range]): void {
    element("posterior-priors").innerHTML = names
      .map((name, k) => {
        const [low, high] = priors[k] as Range;
        const field = (end: string, value: number) =>
          `<label><span class="unseen">${name} </span>${end} <input id="posterior-${end}-${k}" type="number" step="any" value="${value}"></label>`;
        return `<span class="prior-name">${name}</span>${field("from", low)}${field("to", high)}`;
      })
      .join("");
    element("posterior-priors").dataset["names"] = names.join();
  }

  #priorNames(): string[] {
    return (element("posterior-priors").dataset["names"] ?? "").split(",");
  }

  #priors(): readonly [Range, Range] {
    const number = (end: string, k: number) => element<HTMLInputElement>(`posterior-${end}-${k}`).valueAsNumber;
    const range = (k: number): Range => [number("from", k), number("to", k)];
    return [range(0), range(1)];
  }

  /** Simulates anew; what is wrong with the settings is said instead, and what there was stays. */
  #prepare(): void {
    const value = (name: string) => element<HTMLSelectElement>(`posterior-${name}`).value;
    const settings: PosteriorSettings = {
      ...{ code: value("code"), priors: this.#priors(), simulations: Number(value("simulations")) },
      ...{ weight: Number(value("weight")), noise: Number(value("noise")), steps: Number(value("steps")) },
      ...{
        seed: Math.max(0, Math.trunc(Number(value("seed")))),
        backend: value("backend") as PosteriorSettings["backend"],
      },
    };
    try {
      simulatorOf(settings.code);
      const odd = settings.priors.findIndex(([low, high]) => !(low < high));
      if (odd >= 0)
        throw new Error(`What is known of ${this.#priorNames()[odd]} goes from a smaller number to a larger one.`);
    } catch (error) {
      this.#showFault(error);
      return;
    }
    this.#showFault();
    this.#asked = settings;
    this.#state = "preparing";
    this.#message = "";
    this.#send({ kind: "prepare", attempt: ++this.#attempt, settings });
    this.#tell();
  }

  #startOrPause(): void {
    const isRunning = this.#state === "running";
    if (this.#state === "done") this.#prepare();
    if (this.#state === "preparing") return;
    this.#state = isRunning ? "ready" : "running";
    this.#send({ kind: isRunning ? "pause" : "start" });
    this.#tell();
  }

  #observed(): void {
    this.#known = { ...this.#known, compared: undefined };
    this.#send({ kind: "observe", observation: this.#observation.point });
    this.#draw();
  }

  #take(news: FromWorker): void {
    switch (news.kind) {
      case "simulated":
        this.#known = { ...{ simulated: news, answer: undefined, judged: undefined, compared: undefined } };
        this.#training = { step: 0, seconds: 0 };
        this.#settings = this.#asked;
        this.#observation.box = news.box;
        this.#observation.point = news.observation;
        this.#observation.show();
        this.#state = "ready";
        this.#showNames();
        break;
      case "trained":
        this.#training = news;
        break;
      case "judged":
        this.#known = { ...this.#known, judged: news };
        break;
      case "answer":
        this.#known = { ...this.#known, answer: news.answer };
        break;
      case "compared":
        this.#known = { ...this.#known, compared: news.compared };
        break;
      case "paused":
        this.#state = news.isDone ? "done" : "ready";
        break;
      case "refused":
        this.#showFault(new Error(news.message));
        this.#state = this.#known.simulated ? "ready" : "failed";
        this.#message = this.#known.simulated ? "What there was stays." : news.message;
        break;
      case "failed":
        this.#fail(news.message);
        return;
    }
    this.#tell();
    this.#draw();
  }

  #showNames(): void {
    const { simulated } = this.#known;
    const names = this.#dataNames();
    element("posterior-x-name").textContent = `Observed: ${names[0]}`;
    element("posterior-y-name").textContent = `Observed: ${names[1]}`;
    element("posterior-exact-key").hidden = simulated?.possible === undefined;
  }

  #dataNames(): readonly [string, string] {
    return readySimulators.find(({ code }) => code === this.#settings?.code)?.data ?? ["first number", "second number"];
  }

  #fail(message: string): void {
    this.#state = "failed";
    this.#message = message;
    this.#tell();
  }

  #status(): string {
    const { simulated } = this.#known;
    const { step, seconds } = this.#training;
    const progress = `step ${step.toLocaleString("en")} of ${this.#settings?.steps.toLocaleString("en")}, ${seconds.toFixed(1)} s`;
    switch (this.#state) {
      case "preparing":
        return "Simulating …";
      case "failed":
        return `This does not go on: ${this.#message}`;
      case "running":
        return `Training on ${simulated?.device}: ${progress}.`;
      case "done":
        return `Trained: ${progress}. Drag the point.`;
      case "ready":
        if (step > 0) return `Paused at ${progress}. ${this.#message}`;
        return `${simulated?.count.toLocaleString("en")} simulations in ${Math.round(simulated?.milliseconds ?? 0)} ms. ${this.#message}`;
    }
  }

  /** Words, buttons and numbers. */
  #tell(): void {
    const button = element<HTMLButtonElement>("posterior-start");
    const isStarted = this.#training.step > 0;
    const ready = this.#state === "ready" ? (isStarted ? "Go on" : "Train") : undefined;
    button.textContent =
      ready ?? { preparing: "Train", ready: "", running: "Pause", done: "Train anew", failed: "Train" }[this.#state];
    button.disabled = this.#state === "preparing" || this.#state === "failed";
    element<HTMLProgressElement>("posterior-progress").value = this.#training.step / (this.#settings?.steps ?? 1);
    element("posterior-status").textContent = this.#status();
    element("posterior-lab").dataset["state"] = this.#state;
    const { simulated, answer } = this.#known;
    element("posterior-parameters-note").textContent = answer?.step
      ? `step ${answer.step.toLocaleString("en")}`
      : "not trained yet: what was known before";
    const warnings = [...(simulated?.warnings ?? []), ...(answer?.warnings ?? [])];
    element("posterior-warning").hidden = warnings.length === 0;
    element("posterior-warning").textContent = warnings.join(" ");
    element("posterior-figures").replaceChildren(
      ...figuresOf(this.#known).map(([name, means, value]) => {
        const [row, head, small, cell] = (["tr", "th", "small", "td"] as const).map((tag) =>
          document.createElement(tag),
        );
        head!.setAttribute("scope", "row");
        head!.append(name, " ", small!);
        small!.textContent = means;
        cell!.textContent = value;
        row!.append(head!, cell!);
        return row!;
      }),
    );
    this.#announcer.announce();
  }

  /** Both planes, once a frame at most. */
  #draw(): void {
    if (!this.#isDrawn) return;
    this.#isDrawn = false;
    requestAnimationFrame(() => {
      this.#isDrawn = true;
      this.#drawData();
      this.#drawParameters();
    });
  }

  #drawData(): void {
    const { simulated, answer } = this.#known;
    if (!simulated) return;
    const theme = this.#theme;
    const canvas = element<HTMLCanvasElement>("posterior-data");
    const names = this.#dataNames();
    const plane = Plane.cleared(canvas, { theme, box: simulated.box, names });
    if (!plane) return;
    plane.points(simulated.data, { colour: theme.data, alpha: 0.35, size: 1.3 });
    if (answer && answer.step > 0) plane.points(answer.predicted, { colour: theme.right, alpha: 0.75, size: 2 });
    plane.axes();
    const { point, isFocused } = this.#observation;
    plane.handle(point, { colour: theme.left, isFocused });
    const [x, y] = point.map((value) => Number(value.toPrecision(3)));
    canvas.setAttribute("aria-label", `What was observed: ${names[0]} ${x}, ${names[1]} ${y}. Arrow keys move it.`);
  }

  #drawParameters(): void {
    const { simulated, answer } = this.#known;
    if (!simulated || !answer) return;
    const theme = this.#theme;
    const canvas = element<HTMLCanvasElement>("posterior-parameters");
    const names = simulated.parameters as readonly string[] as [string, string];
    const plane = Plane.cleared(canvas, { theme, box: simulated.priors, names });
    if (!plane) return;
    const { density, samples, exact, step } = answer;
    if (density && step > 0) plane.map(density, this.#table);
    const paper = `rgb(${theme.card.join(" ")})`;
    plane.points(samples, { colour: theme.right, alpha: 0.75, size: 1.5 });
    if (exact) {
      for (const [k, pieces] of exact.entries()) {
        plane.lines(pieces, { colour: paper, width: 4 });
        plane.lines(pieces, { colour: theme.left, width: k === 0 ? 2 : 1.6 });
      }
    }
    plane.axes();
    canvas.setAttribute("aria-label", descriptionOf(this.#known));
  }
}
