/** Models that are told classes: whether they are, which class samples are of, how strongly, and what came of it, in words. */
import { type ShownClasses, type Side, sides } from "../messages.ts";
import { classColours } from "./class-colours.ts";
import { element } from "./elements.ts";
import type { Shown } from "./shown.ts";

const all = "all";

/** What the controls say; nothing where they are hidden. */
export function wantedClass(): { readonly label?: number; readonly guidance?: number } {
  if (element("classes").hidden) return {};
  const label = element("class").querySelector<HTMLInputElement>("input:checked")?.value ?? all;
  const guidance = Number(element<HTMLInputElement>("guidance").value);
  return { ...(label === all ? {} : { label: Number(label) }), ...(guidance === 1 ? {} : { guidance }) };
}

export const isByClass = (): boolean => element<HTMLInputElement>("by-class").checked;

export class Classes {
  #names: readonly string[] = [];
  /** Of the points of the data that are shown, while models are told classes. */
  #labels: Uint8Array | undefined;

  constructor({ prepare, look }: { prepare: () => void; look: () => void }) {
    element("by-class").addEventListener("change", prepare);
    element("class").addEventListener("change", look);
    element("guidance").addEventListener("input", () => {
      describe();
      look();
    });
    describe();
  }

  get labels(): Uint8Array | undefined {
    return this.#labels;
  }

  /** @returns whether what samples are told is another than before. */
  take(classes: ShownClasses | undefined, byClass: boolean): boolean {
    const before = JSON.stringify(wantedClass());
    const isTold = classes !== undefined && byClass;
    element("by-class-label").hidden = !classes;
    element("classes").hidden = !isTold;
    this.#labels = isTold ? classes.labels : undefined;
    if (isTold && classes.names.join() !== this.#names.join()) {
      this.#names = classes.names;
      this.#list();
    }
    if (isTold) choose();
    if (isTold) delete element("class").dataset["wanted"];
    return before !== JSON.stringify(wantedClass());
  }

  /** What came of it, of both. */
  tell(shown: Readonly<Record<Side, Shown>>, titles: Readonly<Record<Side, string>>): void {
    element("class-words").textContent = toldWords(shown, titles);
  }

  #list(): void {
    const [light, dark] = [classColours(false), classColours(true)];
    const option = (value: string, name: string, label?: number) => {
      const chip = document.createElement("label");
      const input = Object.assign(document.createElement("input"), { type: "radio", name: "class", value });
      input.checked = label === undefined;
      const dot = document.createElement("i");
      if (label !== undefined) dot.style.background = `light-dark(${light[label]}, ${dark[label]})`;
      chip.append(input, ...(label === undefined ? [] : [dot]), name);
      return chip;
    };
    for (const one of element("class").querySelectorAll("label")) one.remove();
    element("class").append(option(all, "all"), ...this.#names.map((name, i) => option(String(i), name, i)));
  }
}

/** What is wanted, shown: the class once there are some to choose from. */
export function showTold({ label, guidance = 1 }: { readonly label?: number; readonly guidance?: number }): void {
  element<HTMLInputElement>("guidance").value = String(guidance);
  element("class").dataset["wanted"] = String(label ?? all);
  choose();
  describe();
}

function choose(): void {
  const { wanted } = element("class").dataset;
  const radios = [...element("class").querySelectorAll("input")];
  if (wanted === undefined || !radios.some(({ value }) => value === wanted)) return;
  for (const radio of radios) radio.checked = radio.value === wanted;
}

/** In words, and for who hears it. */
function describe(): void {
  const slider = element<HTMLInputElement>("guidance");
  const words = guidanceWords(Number(slider.value));
  element("guidance-value").textContent = words;
  slider.setAttribute("aria-valuetext", words);
}

export function guidanceWords(strength: number): string {
  const meaning = strength === 0 ? " (not told)" : strength === 1 ? " (as told)" : "";
  return `${strength}${meaning}`;
}

/** How many samples are where they should be, and how alike they are. */
export function toldWords(shown: Readonly<Record<Side, Shown>>, titles: Readonly<Record<Side, string>>): string {
  const words = sides.flatMap((side) => {
    const told = shown[side].frames?.told;
    if (!told || shown[side].step === 0) return [];
    const hits = told.hits === undefined ? "" : `${(100 * told.hits).toFixed(1)} % of samples in their class, `;
    return [`${titles[side]}: ${hits}spread ${told.spread.toFixed(2)} of the data's.`];
  });
  return words.length > 0 ? words.join(" ") : "Train to see how many samples come out in their class.";
}
