/**
 * Sessions in pages, each in a browser of its own, on this machine's own server with the headers that threads need.
 * @import { Remote } from "./process.mjs"
 */
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { launchBrowser } from "../.build/platforms/browser.mjs";
import { serve } from "../.build/platforms/server.mjs";
import { errorOf } from "./process.mjs";

const hardware = process.env.DIVFLOW_ADAPTER === "hardware";
/** Errors after which nothing more can be asked of a page: ours, and the browser's own when it has lost it. */
const endOfPage =
  /^(not done after|the page crashed|the browser ended)|detached Frame|Target closed|Session closed|Connection closed|Execution context was destroyed/i;
/** The longest of all calls into a page; each has its own, shorter limit. */
const LONGEST_SECONDS = 3600;

/**
 * @param {object} options
 * @param {string} options.module - the path of the module that exports `open`
 * @param {readonly string[]} options.folders - what else the page may fetch, by its name alone
 * @param {object} options.context
 * @param {number} [options.cores] - that the page shall see, from before the module is imported: libraries take their
 *   number of threads from there, some of them while they are imported
 * @param {number} options.seconds - to open within
 * @returns {Promise<Remote>}
 */
export async function openPage({ module, folders, context, cores, seconds }) {
  const server = await serve(async (path) => {
    if (path === "/index.html") return "<!doctype html><title>divflow bench</title>";
    const name = basename(path);
    if (name === basename(module)) return readFile(module);
    for (const folder of folders) {
      const contents = await readFile(join(folder, name)).catch(() => undefined);
      if (contents) return contents;
    }
    return undefined;
  });
  const browser = await launchBrowser({ hardware, seconds: LONGEST_SECONDS }).catch(async (error) => {
    await server.close();
    throw error;
  });
  let alive = true;
  const close = async () => {
    alive = false;
    const timer = setTimeout(() => browser.process()?.kill("SIGKILL"), 5000);
    await browser.close().catch(() => {});
    clearTimeout(timer);
    await server.close();
  };
  try {
    const page = await browser.newPage();
    const gone = new Promise((_, reject) => {
      page.once("error", (error) => reject(new Error(`the page crashed: ${error.message}`)));
      browser.once("disconnected", () => reject(new Error("the browser ended")));
    });
    gone.catch(() => {});
    /** An expression's value, with errors as data: their names would be lost. */
    const evaluate = async (/** @type {string} */ expression, /** @type {number} */ limit) => {
      /** @type {ReturnType<typeof setTimeout> | undefined} */
      let timer;
      const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`not done after ${limit} s`)), limit * 1000);
      });
      const evaluated = page.evaluate(`(async () => ${expression})().then(
        (result) => ({ result }),
        (error) => ({ error: { name: String(error?.name), message: String(error?.message ?? error) } }))`);
      evaluated.catch(() => {});
      try {
        const { result, error } = /** @type {any} */ (await Promise.race([evaluated, late, gone]));
        if (error) throw errorOf(error);
        return result;
      } catch (error) {
        if (error instanceof Error && endOfPage.test(error.message)) {
          browser.process()?.kill("SIGKILL");
          await close();
        }
        throw error;
      } finally {
        clearTimeout(timer);
      }
    };
    await page.goto(server.url);
    const given = JSON.stringify(context);
    const about = await evaluate(
      `{
        const [context, cores] = [${given}, ${cores}];
        if (cores) Object.defineProperty(navigator, "hardwareConcurrency", { value: cores });
        const { open } = await import("/${basename(module)}");
        globalThis.session = await open({ ...context, gpu: context.backend === "webgpu" ? navigator.gpu : undefined });
        return { version: session.version, device: session.device };
      }`,
      seconds,
    );
    return {
      about: { ...about, runtime: (await browser.version()).replace("HeadlessChrome/", "Chromium ") },
      alive: () => alive,
      call: (method, parameters, limit) =>
        evaluate(`session[${JSON.stringify(method)}](...${JSON.stringify(parameters)})`, limit),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
