/** A bar above the pictures that says one thing, with what can be done about it. It stays until it is closed or done with. */
import { element } from "../page/elements.ts";

export interface Choice {
  readonly label: string;
  /** Of several, by a list beside the button. */
  readonly options?: readonly string[];
  /** What goes on with what the visitor wanted, not what gives it up. */
  readonly isPrimary?: boolean;
  chosen(option: string): void;
}

/** @param isAnswer - to what the visitor did just now, maybe far below: it comes into view, and what it asks has the focus. */
export function showNotice(words: string, choices: readonly Choice[] = [], isAnswer = false): void {
  const bar = document.createElement("div");
  bar.className = "notice";
  const text = document.createElement("p");
  text.textContent = words;
  bar.append(text, ...choices.map(choiceOf), buttonOf("Close", hideNotice));
  element("notice").replaceChildren(bar);
  if (!isAnswer) return;
  bar.scrollIntoView({ block: "nearest" });
  if (choices.length > 0) bar.querySelector<HTMLElement>("select, button")?.focus();
}

/** The focus goes where training is begun, if it was in the bar. */
export function hideNotice(): void {
  const hasFocus = element("notice").contains(document.activeElement);
  element("notice").replaceChildren();
  if (hasFocus) element("start").focus();
}

function choiceOf({ label, options, isPrimary, chosen }: Choice): HTMLElement {
  const group = document.createElement("span");
  group.className = "choice";
  const select = document.createElement("select");
  if (options) {
    select.setAttribute("aria-label", "Which one");
    select.append(...options.map((option) => new Option(option)));
    group.append(select);
  }
  const button = buttonOf(label, () => {
    hideNotice();
    chosen(select.value);
  });
  if (isPrimary) button.className = "primary";
  group.append(button);
  return group;
}

function buttonOf(label: string, pressed: () => void): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.addEventListener("click", pressed);
  return button;
}
