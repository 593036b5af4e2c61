/** Where a tab with a shipped model stands, in words and on its button. */
import { element } from "../../page/elements.ts";
import { shortNumber } from "../../page/words.ts";

export interface Standing {
  readonly state: "opening" | "ready" | "running" | "failed";
  /** Why it failed. */
  readonly message: string;
  readonly training: { readonly step: number; readonly seconds: number; readonly loss: number };
  readonly device: string;
  /** What was drawn; undefined while it is not whole. */
  readonly drawn: string | undefined;
}

export function statusOf({ state, message, training: { step, seconds, loss }, device, drawn }: Standing): string {
  switch (state) {
    case "opening":
      return "Loading the model …";
    case "failed":
      return `This does not go on: ${message}`;
    case "running":
      return step === 0
        ? `Planning the training on ${device} …`
        : `Training on ${device}: step ${step}, velocity loss ${shortNumber(loss)}, ${seconds.toFixed(0)} s.`;
    case "ready": {
      const trained = step > 0 ? ` Trained on by ${step} steps.` : "";
      return drawn === undefined ? `Drawing on ${device} …` : `${drawn}${trained}`;
    }
  }
}

/** @param tab - its name, with which its elements' names begin. */
export function showStanding(tab: string, standing: Standing): void {
  const { state, training } = standing;
  const button = element<HTMLButtonElement>(`${tab}-start`);
  button.textContent = state === "running" ? "Pause" : training.step > 0 ? "Go on" : "Train on";
  button.disabled = state === "opening" || state === "failed";
  element(`${tab}-status`).textContent = statusOf(standing);
  element(`${tab}-lab`).dataset["state"] = state;
}

/** Another seed, for other samples. */
export function drawAgain(seed: HTMLInputElement): void {
  seed.value = String((Number(seed.value) + 1) % 10_000);
}
