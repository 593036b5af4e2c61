/** The page's side of being kept: registers the service worker, and asks before a new version takes the page's place. */

/** How often a page that stays open asks whether there is a new version. */
const HOURS = 6;

/** What the page's element says: "ready" once it opens without a network. */
function tell(state: "ready" | "refused"): void {
  document.documentElement.dataset["offline"] = state;
}

async function register(): Promise<void> {
  const workers = navigator.serviceWorker;
  if (!workers) return tell("refused"); // an insecure address, or storage that is blocked: the page works online
  const isFirst = workers.controller === null;
  const registration = await workers.register(new URL("service-worker.js", document.baseURI), {
    updateViaCache: "none",
  });
  if (registration.waiting && !isFirst) offer(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const worker = registration.installing;
    worker?.addEventListener("statechange", () => {
      if (worker.state === "installed" && workers.controller) offer(worker);
    });
  });
  await workers.ready;
  tell("ready");
  setInterval(() => registration.update().catch(() => {}), HOURS * 3_600_000); // without a network there is none
}

let offered: HTMLElement | undefined;

/** A bar that says so: nothing is reloaded while somebody trains, unless they want it. */
function offer(worker: ServiceWorker): void {
  offered?.remove();
  const bar = document.createElement("div");
  bar.className = "update";
  bar.setAttribute("role", "status");
  const words = document.createElement("p");
  words.textContent = "A new version of this page is here. Reloading takes it.";
  const [reload, later] = ["Reload", "Later"].map((name) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    return button;
  }) as [HTMLButtonElement, HTMLButtonElement];
  reload.addEventListener("click", () => {
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    worker.postMessage("take over");
  });
  later.addEventListener("click", () => bar.remove());
  bar.append(words, reload, later);
  document.body.append(bar);
  offered = bar;
}

// After all else: what is kept is downloaded a second time only where the browser's own cache does not have it.
addEventListener("load", () => register().catch(() => tell("refused")));

export {};
