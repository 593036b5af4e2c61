/**
 * The tabs beside the page's own: their bar, and the address that tells which is shown. A tab's script, style and worker are loaded when it is
 * first opened; one that is left pauses and keeps what it has.
 */
import { element } from "../page/elements.ts";

/** What a tab's script gives when it is opened. */
export interface Tab {
  /** Called each time it comes into view, and when it leaves. */
  shown(): void;
  hidden(): void;
  /** The theme is another one. */
  recolour(): void;
}

/** The page's own first; by what stands behind "#" in the address. */
export const tabNames = ["points", "posterior", "trajectories", "digits"] as const;
type TabName = (typeof tabNames)[number];

const openers: Readonly<Record<Exclude<TabName, "points">, () => Promise<{ open(panel: HTMLElement): Tab }>>> = {
  posterior: () => import("./posterior/page.ts"),
  trajectories: () => import("./trajectories/page.ts"),
  digits: () => import("./digits/page.ts"),
};

/** Which tab an address is of; share links are of the points. */
export const tabOf = (hash: string): TabName => tabNames.find((name) => hash === `#${name}`) ?? "points";

export interface Tabs {
  /** Whether another tab than the page's own is shown. */
  readonly isAway: boolean;
  /** Tells open tabs of another theme. */
  recolour(): void;
}

/** @param left - called when the page's own tab is left, and `returned` when it is shown again. */
export function offerTabs({ left, returned }: { left(): void; returned(): void }): Tabs {
  const open = new Map<TabName, Tab>();
  let shown: TabName = "points";
  /** Of the points, a share link for one. */
  let hash = tabOf(location.hash) === "points" ? location.hash : "";

  const bar = element("tabs");
  const buttonOf = (name: TabName) => element<HTMLButtonElement>(`tab-${name}`);
  const select = (name: TabName) => {
    if (name === shown) return;
    if (shown === "points") {
      hash = location.hash;
      left();
    } else open.get(shown)?.hidden();
    shown = name;
    // In place: going back leaves the page, as ever, and no link is opened anew.
    history.replaceState(
      history.state,
      "",
      name === "points" ? hash || location.pathname + location.search : `#${name}`,
    );
    show();
  };
  const show = () => {
    for (const name of tabNames) {
      const [button, isShown] = [buttonOf(name), name === shown];
      button.setAttribute("aria-selected", String(isShown));
      button.tabIndex = isShown ? 0 : -1;
      element(`panel-${name}`).hidden = !isShown;
    }
    document.body.dataset["tab"] = shown;
    if (shown === "points") returned();
    else void enter(shown);
  };
  const enter = async (name: Exclude<TabName, "points">) => {
    const panel = element(`panel-${name}`);
    try {
      let tab = open.get(name);
      if (!tab) {
        panel.textContent = "Loading …";
        const [{ open: opened }] = await Promise.all([openers[name](), styled()]);
        tab = open.get(name) ?? opened(panel); // it may have been left and entered meanwhile
        open.set(name, tab);
      }
      if (shown === name) tab.shown();
    } catch {
      panel.textContent = "This tab could not be loaded. Without a network only tabs that were open before are there.";
    }
  };

  for (const name of tabNames) buttonOf(name).addEventListener("click", () => select(name));
  bar.addEventListener("keydown", ({ key }) => {
    const at = tabNames.indexOf(shown);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabNames.length - 1 }[key];
    if (to === undefined) return;
    const name = tabNames[(to + tabNames.length) % tabNames.length] as TabName;
    select(name);
    buttonOf(name).focus();
  });
  addEventListener("hashchange", () => {
    const name = tabOf(location.hash);
    if (name === "points") hash = location.hash;
    select(name);
  });
  select(tabOf(location.hash));
  return {
    get isAway() {
      return shown !== "points";
    },
    recolour() {
      for (const tab of open.values()) tab.recolour();
    },
  };
}

let style: Promise<void> | undefined;

/** The tabs' own style sheet. */
function styled(): Promise<void> {
  style ??= new Promise((resolve) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = "style/tabs.css";
    for (const end of ["load", "error"]) link.addEventListener(end, () => resolve(), { once: true });
    document.head.append(link);
  });
  return style;
}
