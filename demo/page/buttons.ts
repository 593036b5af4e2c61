/** What the buttons of training say, and which can be pressed. */
import { element } from "./elements.ts";
import type { State } from "./report.ts";

const words = { preparing: "Train", ready: "Train", running: "Pause", pausing: "Pause", failed: "Train" };

export interface Pressable {
  readonly state: State;
  readonly isTrained: boolean;
  readonly canUndo: boolean;
  readonly canPin: boolean;
}

export function showButtons({ state, isTrained, canUndo, canPin }: Pressable): void {
  const button = element<HTMLButtonElement>("start");
  button.textContent = state === "ready" && isTrained ? "Go on" : words[state];
  button.disabled = !(state === "ready" || state === "running");
  element<HTMLButtonElement>("step").disabled = state !== "ready";
  element<HTMLButtonElement>("undo").disabled = !canUndo || state === "preparing";
  element<HTMLButtonElement>("pin").disabled = !canPin;
  document.body.dataset.state = state;
}

export function showPinned(isPinned: boolean): void {
  element("unpin").hidden = !isPinned;
  element("pin").hidden = isPinned;
  element<HTMLInputElement>("left-weight").disabled = isPinned;
}
