/**
 * Closes a test run with what was left out on purpose and `N passed, N failed`, as its last line.
 * @import { Reporter } from "vitest/node"
 */
import { askedToSkip } from "./runtimes.mjs";

/** @implements {Reporter} */
export default class ClosingLines {
  /** @type {NonNullable<Reporter["onTestRunEnd"]>} */
  onTestRunEnd(modules, unhandledErrors) {
    const reasons = new Set();
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      // A file or a describe block that broke counts once, beside the tests it has.
      if (module.errors().length > 0) count.failed++;
      for (const suite of module.children.allSuites()) if (suite.errors().length > 0) count.failed++;
      for (const test of module.children.allTests()) {
        const result = test.result();
        const { state } = result;
        if (state === "skipped" && result.note) reasons.add(`Skipped: ${test.name}: ${result.note}.`);
        count[state === "pending" ? "failed" : state]++;
      }
    }
    const skipped = askedToSkip();
    const lines = skipped.length > 0 ? [`Not run, as DIVFLOW_TEST_SKIP asks: ${skipped.join(", ")}.`] : [];
    lines.push(
      ...reasons,
      `${count.passed} passed, ${count.failed} failed${count.skipped > 0 ? `, ${count.skipped} skipped` : ""}`,
    );
    process.stdout.write(`${lines.join("\n")}\n`);
  }
}
