/** Files that a visitor brings back: models, which stand on the left, and settings. */
import type { DataChoice, FromWorker, ToWorker } from "../messages.ts";
import { element } from "../page/elements.ts";
import { showRun } from "../page/open-link.ts";
import { settingsIn } from "../share/files.ts";
import type { Given } from "./kinds.ts";
import { showNotice } from "./notice.ts";

export interface Bringing {
  readonly send: (message: ToWorker) => void;
  readonly show: (choice: DataChoice) => void;
  /** The controls have other settings. */
  readonly chosen: () => void;
}

/** @throws Error with a sentence for the visitor, of settings that are none or that no control can show. */
export function bring(name: string, given: Given, { send, show, chosen }: Bringing): void {
  if (given.kind === "model") send({ kind: "open-model", file: { name, bytes: given.bytes } });
  if (given.kind !== "settings") return;
  const missing = showRun(settingsIn(given.text), show);
  if (missing) throw new Error(`${name} asks for ${missing}, which this page does not offer.`);
  chosen();
}

export function askActivation({ file, choices }: FromWorker & { kind: "activation-wanted" }, send: Bringing["send"]) {
  const open = {
    ...{ label: "Open", options: choices, isPrimary: true },
    chosen: (activation: string) => send({ kind: "open-model", file: { ...file, activation } }),
  };
  showNotice(`${file.name} holds weights alone. Which activation were they trained with?`, [open], true);
}

export function tellOpened({ title, step }: FromWorker & { kind: "pinned" }): void {
  const steps = step > 0 ? `, after ${step.toLocaleString("en")} steps` : "";
  showNotice(`“${title}” stands on the left as it is${steps}; what was there comes back by Unpin.`, [], true);
}

/** While files are dragged over the page, it says that they may be dropped. */
export function offerDrop(): void {
  const hint = element("dropping");
  let depth = 0;
  const isFile = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  const change = (by: number) => {
    depth = by === 0 ? 0 : Math.max(0, depth + by);
    hint.hidden = depth === 0;
  };
  addEventListener("dragenter", (event) => isFile(event) && change(1));
  addEventListener("dragleave", (event) => isFile(event) && change(-1));
  addEventListener("drop", () => change(0));
}
