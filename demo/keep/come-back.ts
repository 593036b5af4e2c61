/** A page that comes back: it goes on where the visit before was, and says so; and one whose memory was short, with less of it. */
import type { FromWorker, Settings, Side } from "../messages.ts";
import { showSettings } from "../page/controls.ts";
import { element } from "../page/elements.ts";
import { showSampler } from "../page/open-link.ts";
import { isSameRun, isTrained, type Run, type Runs } from "../page/runs.ts";
import { showView } from "../page/view.ts";
import type { GoneOn, Keeping } from "./keeping.ts";
import { showNotice } from "./notice.ts";

export interface Page {
  readonly runs: Runs;
  readonly keeping: Keeping;
  readonly titles: () => Readonly<Record<Side, string>>;
  readonly showDrawn: (points: readonly number[]) => void;
  readonly showData: (data: Settings["data"]) => void;
  /** The controls have other settings. */
  readonly chosen: () => void;
  readonly refuse: (message: string) => void;
  /** As a first visit has them. */
  readonly initial: () => Settings;
}

export class ComeBack {
  #goneOn: GoneOn | undefined;
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /**
   * What was kept is gone on with, unless the visitor was quicker, or the address asks for something else: then Undo has it.
   *
   * @param linkFault - what is wrong with the link in the address.
   */
  take(message: FromWorker & { kind: "revived" }, linkFault: string | undefined): void {
    const { runs, keeping, showDrawn, chosen } = this.#page;
    const found = keeping.revived(message);
    const isFirst = runs.attempt === 0;
    if (found && isFirst && found.isWanted) {
      this.#goneOn = found;
      const { look, sampler, speed, drawn } = found.view;
      showSampler(sampler);
      element<HTMLSelectElement>("speed").value = speed;
      showDrawn(drawn);
      runs.goOnWith(found, found.before);
      runs.goesOn = found.isRunning;
      showView(look);
    } else {
      if (found && isTrained(found.shown)) runs.before ??= found;
      if (isFirst) chosen();
    }
    if (message.fault) showNotice(message.fault);
    if (linkFault) this.#page.refuse(linkFault);
  }

  /** Once its models are there. */
  tell(): void {
    const goneOn = this.#goneOn;
    if (!goneOn) return;
    this.#goneOn = undefined;
    const { runs, titles, initial, showData, chosen } = this.#page;
    const words = wordsOf(goneOn, { shown: runs.shown, titles: titles(), initial: initial() });
    if (words === undefined) return;
    const anew = () => {
      showData(initial().data);
      showSettings(initial());
      chosen();
    };
    showNotice(words, [{ label: "Begin anew", chosen: anew }]);
  }

  /** @param batchSize - to try. */
  offerSmaller(batchSize: number, wasRunning: boolean): void {
    const { runs } = this.#page;
    showNotice(`Memory was short. Batches of ${batchSize} need about half of it.`, [
      {
        ...{ label: `Go on with batches of ${batchSize}`, isPrimary: true },
        chosen() {
          runs.shrink(batchSize);
          runs.goesOn = wasRunning;
        },
      },
    ]);
  }
}

/** Nothing where there is no more than at a first visit. */
function wordsOf(
  { settings, isRunning }: GoneOn,
  { shown, titles, initial }: { shown: Run["shown"]; titles: Readonly<Record<Side, string>>; initial: Settings },
): string | undefined {
  if (!isTrained(shown))
    return isSameRun(settings, initial) ? undefined : "Your settings are those of your last visit.";
  const models = (["left", "right"] as const).map(
    (side) => `${titles[side]} at step ${shown[side].step.toLocaleString("en")}`,
  );
  return `Where your last visit was: ${models.join(", ")}${isRunning ? ", and it trains on" : ""}.`;
}
