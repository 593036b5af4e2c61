/** The choice of data: named sets, a drawing, letters, a table that is pasted, opened or dropped. */
import { type Given, givenIn } from "../keep/kinds.ts";
import { type Columns, type DataChoice, namedSets } from "../messages.ts";
import { ChooseImage, isImage } from "./choose-image.ts";
import type { Theme } from "./colours.ts";
import { element } from "./elements.ts";
import { inkOf } from "./letters.ts";
import { DAB_DEVIATION, Pad } from "./pad.ts";

/** More would not be read in a moment. */
const LARGEST_FILE = 20 * 2 ** 20;

export class ChooseData {
  #choice: DataChoice = { kind: "named", name: "checkerboard" };
  #thumbnails: Readonly<Record<string, Float32Array>> = {};
  readonly #pad: Pad;
  readonly #image: ChooseImage;
  readonly #theme: () => Theme;
  readonly #chosen: () => void;
  readonly #refuse: (message: string) => void;
  readonly #brought: (name: string, given: Given) => void;

  /** @param brought - a file that is no data: a model, or settings. */
  constructor({
    theme,
    chosen,
    refuse,
    brought,
  }: {
    theme: () => Theme;
    chosen: () => void;
    refuse: (message: string) => void;
    brought: (name: string, given: Given) => void;
  }) {
    this.#theme = theme;
    this.#chosen = chosen;
    this.#refuse = refuse;
    this.#brought = brought;
    this.#pad = new Pad(theme);
    this.#image = new ChooseImage({
      chosen: (title, { points, deviation }) => this.#useInk(title, points, deviation),
      refuse,
      colour: () => theme().right,
    });
    this.#listSets();
    element("pad-use").addEventListener("click", () => this.#useInk("your drawing", this.#pad.points, DAB_DEVIATION));
    element("pad-clear").addEventListener("click", () => this.#pad.clear());
    element<HTMLFormElement>("word-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = element<HTMLInputElement>("word").value.trim();
      const { points, deviation } = inkOf(text);
      this.#useInk(`“${text}”`, points, deviation);
    });
    element("table-use").addEventListener("click", () => {
      const text = element<HTMLTextAreaElement>("table").value;
      if (text.trim() === "") this.#refuse("Nothing is pasted yet: rows of numbers, two or more in each.");
      else this.#useTable("the pasted table", new TextEncoder().encode(text));
    });
    for (const id of ["table-file", "open-file"]) {
      element<HTMLInputElement>(id).addEventListener("change", ({ target }) => {
        const input = target as HTMLInputElement;
        const file = input.files?.[0];
        if (file) void this.#open(file).then(() => (input.value = "")); // the same one may be opened again
      });
    }
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      const file = event.dataTransfer?.files[0];
      if (file) void this.#open(file);
    });
    for (const id of ["column-x", "column-y", "column-label"])
      element(id).addEventListener("change", () => this.#chooseColumns());
  }

  get choice(): DataChoice {
    return this.#choice;
  }

  /** What is on the pad, [count, 2] flat. */
  get drawn(): readonly number[] {
    return this.#pad.points;
  }

  set drawn(points: readonly number[]) {
    this.#pad.show(points);
  }

  /** Shows a choice that was made elsewhere: by a preset or an undo. */
  show(choice: DataChoice): void {
    this.#choice = choice;
    for (const radio of element("sets").querySelectorAll("input")) {
      radio.checked = choice.kind === "named" && radio.value === choice.name;
    }
    if (choice.kind !== "table") element("table-columns").hidden = true;
  }

  takeThumbnails(points: Readonly<Record<string, Float32Array>>): void {
    this.#thumbnails = points;
    this.draw();
  }

  /** Columns of the table in use, once the worker has read it. */
  takeColumns(columns: Columns | undefined): void {
    element("table-columns").hidden = !columns;
    if (!columns) return;
    const { names, used, label } = columns;
    ["column-x", "column-y"].forEach((id, axis) => {
      element(id).replaceChildren(...names.map((name, i) => new Option(name, String(i), false, i === used[axis])));
    });
    const labels = names.map((name, i) => new Option(name, String(i), false, i === label));
    element("column-label").replaceChildren(new Option("none", "", false, label === undefined), ...labels);
  }

  draw(): void {
    const { ink } = this.#theme();
    for (const [name, points] of Object.entries(this.#thumbnails)) {
      const canvas = element<HTMLCanvasElement>(`thumbnail-${name}`);
      const context = canvas.getContext("2d");
      const size = Math.round(canvas.clientWidth * devicePixelRatio);
      if (!context || size === 0) continue;
      [canvas.width, canvas.height] = [size, size];
      context.fillStyle = ink;
      const dot = 1.1 * devicePixelRatio;
      for (let i = 0; i < points.length; i += 2) {
        context.fillRect(
          (0.5 + 0.46 * points[i]!) * size - dot / 2,
          (0.5 - 0.46 * points[i + 1]!) * size - dot / 2,
          dot,
          dot,
        );
      }
    }
    this.#pad.draw();
  }

  #listSets(): void {
    const labels = Object.entries(namedSets).map(([name, title], i) => {
      const label = document.createElement("label");
      label.innerHTML = `<input type="radio" name="set" value="${name}"${i === 0 ? " checked" : ""}><canvas id="thumbnail-${name}" aria-hidden="true"></canvas><span>${title}</span>`;
      return label;
    });
    element("sets").replaceChildren(...labels);
    element("sets").addEventListener("change", ({ target }) =>
      this.#use({ kind: "named", name: (target as HTMLInputElement).value }),
    );
  }

  #use(choice: DataChoice): void {
    this.show(choice);
    this.#chosen();
  }

  #useInk(title: string, points: readonly number[], deviation: number): void {
    if (points.length === 0) this.#refuse("Nothing is drawn yet: draw something, or choose a set.");
    else this.#use({ kind: "ink", title, points: [...points], deviation });
  }

  #useTable(title: string, bytes: Uint8Array<ArrayBuffer>): void {
    this.#use({ kind: "table", title, bytes });
  }

  async #open(file: File): Promise<void> {
    if (file.size > LARGEST_FILE)
      return this.#refuse(`${file.name} has ${(file.size / 2 ** 20).toFixed(0)} MB; 20 MB at most are read here.`);
    if (isImage(file)) return this.#image.open(file);
    const bytes = await file.arrayBuffer().then(
      (buffer) => new Uint8Array(buffer),
      () => undefined, // a folder, or a file that is gone
    );
    if (!bytes) return this.#refuse(`${file.name} could not be read.`);
    try {
      const given = givenIn(file.name, bytes);
      if (given.kind === "table") this.#useTable(file.name, given.bytes);
      else this.#brought(file.name, given);
    } catch (error) {
      this.#refuse(error instanceof Error ? error.message : String(error));
    }
  }

  #chooseColumns(): void {
    if (this.#choice.kind !== "table") return;
    const value = (id: string) => Number(element<HTMLSelectElement>(id).value);
    const label = element<HTMLSelectElement>("column-label").value;
    const { label: before, ...choice } = this.#choice;
    const columns = [value("column-x"), value("column-y")] as const;
    // Who says which classes there are wants them told.
    if (label !== "" && before === undefined) element<HTMLInputElement>("by-class").checked = true;
    this.#use({ ...choice, columns, ...(label === "" ? {} : { label: Number(label) }) });
  }
}
