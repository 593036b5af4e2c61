/** The tab "digits": a shipped model draws them by class, as a film from noise, and trains on. All work is done in worker.ts. */
import { Announcer } from "../../page/announce.ts";
import { element } from "../../page/elements.ts";
import { drawAgain, type Standing, showStanding, statusOf } from "../shipped/standing.ts";
import type { Tab } from "../tabs.ts";
import { markup } from "./markup.ts";
import type { Film, FromWorker, News, ToWorker } from "./messages.ts";
import { PIXELS, SIDE } from "./packed.ts";

type Opened = Extract<News, { kind: "opened" }>;

const [ROWS, COLUMNS] = [4, 10];
const COUNT = ROWS * COLUMNS;
/** Pixels between pictures. */
const GAP = 2;
/** From noise to data. */
const MILLISECONDS = 3000;

export function open(panel: HTMLElement): Tab {
  panel.innerHTML = markup;
  return new DigitsPage();
}

const field = (name: string) => element<HTMLInputElement>(`digits-${name}`);

class DigitsPage implements Tab {
  readonly #worker = new Worker(new URL("digits-worker.js", document.baseURI), { type: "module" });
  readonly #announcer = new Announcer(() => `${statusOf(this.#standing)} ${this.#described()}`, "digits-announcement");
  #state: Standing["state"] = "opening";
  #attempt = 0;
  #opened: Opened | undefined;
  #film: Film | undefined;
  #training = { step: 0, seconds: 0, loss: 0 };
  #message = "";
  /** When it began to play. */
  #playing: number | undefined;

  constructor() {
    this.#worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
      if (data.attempt === this.#attempt) this.#take(data);
    });
    this.#worker.addEventListener("error", ({ message }) => this.#fail(message || "The worker could not be started."));
    field("backend").addEventListener("change", () => this.#open());
    field("guidance").addEventListener("input", () => {
      element("digits-guidance-value").textContent = field("guidance").value;
    });
    for (const name of ["label", "guidance", "steps", "seed"])
      field(name).addEventListener("change", () => this.#ask());
    element("digits-again").addEventListener("click", () => {
      drawAgain(field("seed"));
      this.#ask();
    });
    element("digits-start").addEventListener("click", () => {
      const isRunning = this.#state === "running";
      this.#state = isRunning ? "ready" : "running";
      this.#send({ kind: isRunning ? "pause" : "start" });
      this.#tell();
    });
    field("time").addEventListener("input", () => {
      this.#stop();
      this.#draw();
    });
    element("digits-play").addEventListener("click", () => (this.#playing === undefined ? this.#play() : this.#stop()));
    this.#open();
  }

  shown(): void {
    this.#draw();
  }

  /** What was learned stays; training waits. */
  hidden(): void {
    this.#stop();
    if (this.#state === "running") this.#send({ kind: "pause" });
  }

  recolour(): void {}

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #open(): void {
    this.#state = "opening";
    this.#opened = this.#film = undefined;
    this.#training = { step: 0, seconds: 0, loss: 0 };
    const [model, digits] = ["digits.safetensors", "digits.bin"].map(
      (file) => new URL(`models/${file}`, document.baseURI).href,
    ) as [string, string];
    const backend = field("backend").value as "auto" | "webgpu" | "wasm";
    this.#send({ kind: "open", attempt: ++this.#attempt, model, digits, backend });
    this.#ask();
  }

  #ask(): void {
    const { value } = field("label");
    const question = {
      ...{ label: value === "all" ? null : Number(value), guidance: field("guidance").valueAsNumber },
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
        paint("digits-true", news.truth);
        element("digits-true").setAttribute(
          "aria-label",
          "Four true digits of each class, a column for each from 0 to 9",
        );
        break;
      case "film":
        this.#film = news.film;
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

  get #isWhole(): boolean {
    const film = this.#film;
    return film !== undefined && film.frames.length === film.wanted * COUNT * PIXELS;
  }

  get #standing(): Standing {
    const film = this.#film;
    const drawn =
      film && this.#isWhole
        ? `${COUNT} pictures in ${(film.milliseconds / 1000).toFixed(1)} s, ${2 * (film.wanted - 1) - 1} velocities each.`
        : undefined;
    const { device = "" } = this.#opened ?? {};
    return { state: this.#state, message: this.#message, training: this.#training, device, drawn };
  }

  #described(): string {
    const film = this.#film;
    if (!film) return "Preparing";
    const { label, guidance, steps } = film.question;
    const what =
      label === null ? "four of each digit, a column for each from 0 to 9" : `forty times the digit ${label}`;
    return `Generated: ${what}, guidance ${guidance}, ${steps} steps, shown at t = ${field("time").value}.`;
  }

  #tell(): void {
    showStanding("digits", this.#standing);
    const film = this.#film;
    element<HTMLProgressElement>("digits-progress").value = film
      ? film.frames.length / COUNT / PIXELS / film.wanted
      : 0;
    element("digits-drawn-note").textContent =
      this.#training.step > 0 ? `trained on by ${film?.step ?? 0} steps` : "as shipped";
    if (this.#opened) {
      element("digits-model").textContent =
        `The shipped model has ${Math.round(this.#opened.bytes / 1000)} kB. It was trained on 10,000 digits of MNIST; training on takes 1,000 of them, on this device.`;
    }
    this.#announcer.announce();
  }

  #play(): void {
    const from = field("time").valueAsNumber >= 1 ? 0 : field("time").valueAsNumber;
    this.#playing = performance.now() - from * MILLISECONDS;
    element("digits-play").textContent = "Stop";
    const advance = () => {
      if (this.#playing === undefined) return;
      const t = Math.min(1, (performance.now() - this.#playing) / MILLISECONDS);
      field("time").value = String(t);
      this.#draw();
      if (t < 1) requestAnimationFrame(advance);
      else this.#stop();
    };
    requestAnimationFrame(advance);
  }

  #stop(): void {
    this.#playing = undefined;
    element("digits-play").textContent = "Play";
  }

  /** The film at the time that is chosen, or as far as it is there. */
  #draw(): void {
    const t = field("time").valueAsNumber;
    element("digits-time-value").textContent = `t = ${t.toFixed(2)}`;
    const film = this.#film;
    if (!film) return;
    const size = COUNT * PIXELS;
    const [last, place] = [film.frames.length / size - 1, t * (film.wanted - 1)];
    const from = Math.min(last, Math.floor(place));
    const [to, part] = [Math.min(last, from + 1), Math.min(1, place - from)];
    const at = (frame: number, i: number) => film.frames[frame * size + i] as number;
    paint(
      "digits-drawn",
      Float32Array.from({ length: size }, (_, i) => at(from, i) + part * (at(to, i) - at(from, i))),
    );
    element("digits-drawn").setAttribute("aria-label", this.#described());
  }
}

/** A sheet of pictures, white on black, a pixel for each of theirs. */
function paint(id: string, pictures: Float32Array): void {
  const canvas = element<HTMLCanvasElement>(id);
  const [width, height] = [COLUMNS * (SIDE + GAP) - GAP, ROWS * (SIDE + GAP) - GAP];
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  if (!context) return;
  const image = context.createImageData(width, height);
  for (let i = 0; i < pictures.length; i++) {
    const [which, pixel] = [Math.floor(i / PIXELS), i % PIXELS];
    const x = (which % COLUMNS) * (SIDE + GAP) + (pixel % SIDE);
    const y = Math.floor(which / COLUMNS) * (SIDE + GAP) + Math.floor(pixel / SIDE);
    const grey = Math.round(255 * Math.min(1, Math.max(0, ((pictures[i] as number) + 1) / 2)));
    image.data.set([grey, grey, grey, 255], 4 * (y * width + x));
  }
  context.putImageData(image, 0, 0);
}
