/**
 * Takes jobs from the queue, one at a time, and runs divflow for each: start as many of these on as many machines as
 * you like. Ctrl-C lets the job at hand end; one that is killed is taken up by another worker after half a minute.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { UnrecoverableError, Worker } from "bullmq";
import { connection, QUEUE } from "./connection.mjs";

/** The command of the divflow that this worker depends on. */
const script = fileURLToPath(new URL("cli.js", import.meta.resolve("divflow")));

/** divflow's exit code where trying again is no use. */
const BAD_INPUT = 2;

/** @param {readonly string[]} words */
function divflow(words) {
  // Arguments, not a line for a shell: what is in the queue can be nothing but a divflow command.
  const child = spawn(process.execPath, [script, ...words, "--quiet"], { stdio: ["ignore", "pipe", "pipe"] });
  let [output, errors] = ["", ""];
  child.stdout.on("data", (piece) => (output += piece));
  child.stderr.on("data", (piece) => (errors += piece));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) return resolve(output.trim());
      const why = errors.trim() || `divflow ended with ${code}`;
      reject(code === BAD_INPUT ? new UnrecoverableError(why) : new Error(why));
    });
  });
}

const worker = new Worker(QUEUE, (job) => divflow(job.data.arguments), { connection, concurrency: 1 });
worker.on("completed", (job) => console.log(`${job.name} ${job.id}: ${job.data.arguments.join(" ")}`));
worker.on("failed", (job, error) => console.error(`${job?.name} ${job?.id}: ${error.message}`));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => worker.close());
