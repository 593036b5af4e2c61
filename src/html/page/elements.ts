/** Elements by few words. Text is set as text: a model's names are anybody's. */

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** A control under its name. */
export function field(name: string, control: HTMLElement, wide = false): HTMLLabelElement {
  return element("label", { className: wide ? "field wide" : "field" }, name, control);
}

export function select(name: string, options: readonly (readonly [value: string, words: string])[]): HTMLSelectElement {
  return element("select", { name }, ...options.map(([value, words]) => element("option", { value }, words)));
}

/** A whole number from `least` to `most`, or with `step` "any" any number. */
export function numberInput(
  name: string,
  value: number,
  { min, max, step = "1" }: { readonly min?: number; readonly max?: number; readonly step?: string } = {},
): HTMLInputElement {
  const input = element("input", {
    name,
    type: "number",
    step,
    required: true,
    inputMode: step === "1" ? "numeric" : "decimal",
  });
  if (min !== undefined) input.min = String(min);
  if (max !== undefined) input.max = String(max);
  input.defaultValue = String(value);
  return input;
}

export function byId(id: string): HTMLElement {
  return document.getElementById(id) as HTMLElement;
}
