/** What each browser is put to. A trial gives a sentence of what it found, and throws when something is wrong. */
import { setTimeout as pause } from "node:timers/promises";

/** @import { OpenBrowser, OpenPage } from "./open.mjs" */
/** @import { Report } from "./site.mjs" */

/**
 * @typedef {object} Site
 * @property {string} url
 * @property {(listener: (report: Report) => void) => void} listen
 */

/** The longest that a trial takes, loaded machines included. */
const trialSeconds = 1800;

/** Thrown where the browser lacks what is tried: said in the table, no failure. */
export class Lacking extends Error {}

/**
 * By name: the conformance suite on each backend, the page of examples/, the demo.
 * @type {Record<string, (browser: OpenBrowser, site: Site) => Promise<string>>}
 */
export const trials = {
  wasm: (browser, site) => conformance(browser, site, "wasm"),
  webgpu: async (browser, site) => {
    await expectAdapter(browser, site);
    return conformance(browser, site, "webgpu");
  },
  quickstart,
  demo,
};

/**
 * @param {OpenBrowser} browser
 * @param {Site} site
 * @param {"wasm" | "webgpu"} backend
 */
async function conformance(browser, site, backend) {
  const failures = /** @type {string[]} */ ([]);
  let passed = 0;
  let skipped = 0;
  let last = "none";
  /** @type {Report | undefined} */
  let end;
  const fail = (/** @type {string} */ failure) => {
    failures.push(failure);
    console.error(failure);
  };
  site.listen((report) => {
    if (report.done) end = report;
    else if (report.complaint !== undefined) fail(`on the page: ${report.complaint}`);
    else {
      last = report.name ?? last;
      if (report.skipped !== undefined) skipped++;
      else if (report.ok) passed++;
      else fail(`${report.name}: ${report.message}`);
    }
  });
  const page = await browser.open(`${site.url}conformance/index.html#${backend}`);
  const progress = setInterval(() => console.error(`${passed + skipped} checks passed, last: ${last}`), 30_000);
  try {
    await until(
      () => end,
      () => `the suite did not end; the last check that did: ${last}`,
    );
    if (end?.failure) fail(end.failure);
    if (failures.length > 0) throw new Error(`${passed} checks passed, ${failures.length} failed`);
    return `${passed} checks passed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
  } finally {
    clearInterval(progress);
    await page.close();
  }
}

/** @param {OpenBrowser} browser @param {Site} site */
async function expectAdapter(browser, site) {
  /** @type {string | undefined} */
  let answer;
  site.listen(({ message }) => {
    answer = message ?? answer;
  });
  const page = await browser.open(`${site.url}adapter/index.html`);
  try {
    await until(
      () => answer,
      () => "the page did not say whether there is an adapter",
    );
    if (answer !== "adapter") throw new Lacking(answer);
  } finally {
    await page.close();
  }
}

/** examples/page.html trains to its end (site.mjs makes it a near one), draws samples, says nothing on the console. @type {typeof demo} */
async function quickstart(browser, site) {
  return withoutComplaints(site, async () => {
    const page = await browser.open(`${site.url}examples/page.html`);
    try {
      const read = `({
        done: document.body.dataset.done,
        reason: document.getElementById("reason").textContent,
        status: document.getElementById("status").textContent,
      })`;
      const state = await untilPage(page, read, ({ done, status }) => done === "yes" || /^(?!Step)./.test(status));
      if (state.done !== "yes") throw new Error(`it says: ${state.status}`);
      const marks = await page.evaluate(inkOf("document.querySelector('canvas')"));
      if (marks < 1000) throw new Error(`${marks} pixels of samples`);
      return `${state.reason} ${state.status}`;
    } finally {
      await page.close();
    }
  });
}

/** The demo prepares, trains both models, draws, pauses and starts anew. @param {OpenBrowser} browser @param {Site} site */
async function demo(browser, site) {
  return withoutComplaints(site, async () => {
    const page = await browser.open(`${site.url}demo/index.html`);
    try {
      await page.evaluate(`(() => {
        for (const [id, value] of [["width", "32"], ["backend", "wasm"]]) {
          const field = document.getElementById(id);
          field.value = value;
          field.dispatchEvent(new Event("change"));
        }
      })()`);
      const read = `({
        state: document.body.dataset.state,
        status: document.getElementById("status").textContent,
        note: document.getElementById("right-note").textContent,
        ink: Math.min(...["left", "right"].map((id) => ${inkOf("document.getElementById(id)")})),
      })`;
      const ready = await untilPage(page, read, ({ state }) => state !== "preparing");
      if (ready.state !== "ready") throw new Error(`it says: ${ready.status}`);
      await page.evaluate("document.getElementById('start').click()");
      const trained = await untilPage(page, read, ({ note, ink }) => /step \d.*misplaced/.test(note) && ink > 500);
      await page.evaluate("document.getElementById('start').click()");
      await untilPage(page, read, ({ state }) => state === "ready");
      await page.evaluate("document.getElementById('reset').click()");
      await untilPage(page, read, ({ state, note }) => state === "ready" && note === "not trained yet");
      return trained.note;
    } finally {
      await page.close();
    }
  });
}

/** Pixels of a canvas that are not transparent. @param {string} canvas */
function inkOf(canvas) {
  return `((canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
    .reduce((count, value, i) => count + (i % 4 === 3 && value > 0), 0))(${canvas})`;
}

/**
 * @template Result
 * @param {Site} site
 * @param {() => Promise<Result>} work
 */
async function withoutComplaints(site, work) {
  const complaints = /** @type {string[]} */ ([]);
  site.listen(({ complaint }) => {
    if (complaint !== undefined) complaints.push(complaint);
  });
  const result = await work();
  if (complaints.length > 0) throw new Error(`on the page: ${complaints.join("; ")}`);
  return result;
}

/**
 * @param {() => unknown} holds
 * @param {() => string} otherwise
 */
async function until(holds, otherwise) {
  const end = performance.now() + trialSeconds * 1000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`after ${trialSeconds} s ${otherwise()}.`);
    await pause(100);
  }
}

/**
 * The first value of an expression in the page that is as wanted.
 * @param {OpenPage} page
 * @param {string} expression
 * @param {(value: any) => boolean} wanted
 */
async function untilPage(page, expression, wanted) {
  const end = performance.now() + (trialSeconds / 3) * 1000;
  for (;;) {
    const value = await page.evaluate(expression);
    if (wanted(value)) return value;
    if (performance.now() > end) throw new Error(`after ${trialSeconds / 3} s: ${JSON.stringify(value)}`);
    await pause(250);
  }
}
