/** Controls of what a model is told: a choice for a label, inputs for numbers. */
import type { ConditionGiven, ConditionsGiven, ModelCondition } from "../../engine/model-api.ts";
import { element, field, numberInput, select } from "./elements.ts";

/** Numbers of a condition that get an input each; more are one text. */
const MOST_INPUTS = 12;
/** What a choice of a label says beside labels. */
const [EACH, NONE] = ["each", "none"];

export interface ToldControl {
  readonly name: string;
  readonly condition: ModelCondition;
  readonly controls: HTMLElement;
  /** For so many samples. */
  value(count: number): ConditionGiven;
}

export function toldControls(conditions: Readonly<Record<string, ModelCondition>>): ToldControl[] {
  return Object.entries(conditions).map(([name, condition]) =>
    condition.classes === undefined
      ? numbersControl(name, condition)
      : labelControl(name, condition, condition.classes),
  );
}

export function toldOf(controls: readonly ToldControl[], count: number): ConditionsGiven | undefined {
  if (controls.length === 0) return undefined;
  return Object.fromEntries(controls.map((control) => [control.name, control.value(count)]));
}

function labelControl(name: string, condition: ModelCondition, classes: number): ToldControl {
  const labels = Array.from({ length: classes }, (_, i) => [String(i), condition.names?.[i] ?? String(i)] as const);
  const choice = select(`told-${name}`, [
    [EACH, "each in turn"],
    ...labels,
    ...(condition.optional ? [[NONE, "not told"] as const] : []),
  ]);
  return {
    ...{ name, condition, controls: field(name, choice, true) },
    value(count) {
      if (choice.value === NONE) return null;
      return choice.value === EACH ? Array.from({ length: count }, (_, i) => i % classes) : Number(choice.value);
    },
  };
}

function numbersControl(name: string, condition: ModelCondition): ToldControl {
  const { shape, standardization, optional } = condition;
  const size = shape.reduce((product, each) => product * each, 1);
  // The middle of what the model has seen.
  const usual = Array.from({ length: size }, (_, i) => Number((standardization?.mean[i] ?? 0).toPrecision(6)));
  const { controls, read } = size <= MOST_INPUTS ? inputs(name, usual) : text(name, usual);
  const check = optional ? element("input", { type: "checkbox", name: `tell-${name}`, checked: true }) : undefined;
  const whole = element(
    "fieldset",
    {},
    element("legend", {}, name),
    ...(check ? [element("label", { className: "check" }, check, "told to the model")] : []),
    ...controls,
  );
  check?.addEventListener("change", () => {
    for (const one of whole.querySelectorAll<HTMLInputElement>("input[type=number], textarea")) {
      one.disabled = !check.checked;
    }
  });
  return { name, condition, controls: whole, value: () => (check && !check.checked ? null : read()) };
}

function inputs(name: string, usual: readonly number[]) {
  const all = usual.map((value, i) => numberInput(`told-${name}-${i}`, value, { step: "any" }));
  const nameOf = (i: number) => (usual.length === 1 ? "value" : `${i + 1}`);
  return {
    controls: all.map((input, i) => field(nameOf(i), input)),
    read: () => all.map((input) => Number(input.value)),
  };
}

function text(name: string, usual: readonly number[]) {
  const area = element("textarea", { name: `told-${name}`, rows: 4, spellcheck: false });
  area.defaultValue = usual.join(" ");
  const read = () =>
    area.value
      .split(/[\s,;]+/)
      .filter((word) => word !== "")
      .map(Number);
  const check = () => {
    const values = read();
    const fits = values.length === usual.length && values.every(Number.isFinite);
    area.setCustomValidity(fits ? "" : `${usual.length} numbers, apart by spaces: here are ${values.length}.`);
  };
  area.addEventListener("input", check);
  return { controls: [field(`${usual.length} numbers, apart by spaces`, area, true)], read };
}
