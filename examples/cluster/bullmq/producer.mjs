/**
 * Puts a command's parts into the queue, and behind them what puts the parts together; waits for it.
 *
 *   node producer.mjs --parts 8 --out /data/samples.npy sample /data/model.safetensors --count 1000000 --seed 1
 *   node producer.mjs --parts 8 --out /data/rows.csv evaluate /data/model.safetensors --data /data/test.csv
 *   node producer.mjs --jobs jobs.json --out /data/checkerboard      (of divflow experiment checkerboard --jobs --json)
 *
 * Paths are those that workers see: a folder that all of them have, or on one machine any.
 */
import { mkdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { parseArgs } from "node:util";
import { FlowProducer, QueueEvents } from "bullmq";
import { connection, QUEUE } from "./connection.mjs";

const at = process.argv.findIndex((one) => one === "sample" || one === "evaluate");
const [own, command] = at < 0 ? [process.argv.slice(2), []] : [process.argv.slice(2, at), process.argv.slice(at)];
const { values } = parseArgs({
  args: own,
  options: { parts: { type: "string" }, jobs: { type: "string" }, out: { type: "string" } },
});
const { parts, jobs, out } = values;
if (!out || (jobs === undefined) === (parts === undefined)) {
  console.error("Give --out, and --parts N with a command or --jobs FILE.");
  process.exit(2);
}

/** Arguments of divflow, an array for each job, and what each of them writes. */
const all = [];
const written = [];
for (const job of jobs === undefined ? [] : JSON.parse(await readFile(jobs, "utf8"))) {
  all.push(job.arguments);
  written.push(job.out);
}
if (parts !== undefined) await mkdir(`${out}.parts`, { recursive: true });
for (let part = 1; part <= Number(parts ?? 0); part++) {
  const file = join(`${out}.parts`, `${part}${extname(out)}`);
  all.push([...command, "--shard", `${part}/${parts}`, "--out", file]);
  written.push(file);
}

// What fails is tried again, here or on another machine; a part that is made twice has the same bits.
const options = { attempts: 3, backoff: { type: "exponential", delay: 1000 }, failParentOnFailure: true };
const events = new QueueEvents(QUEUE, { connection });
await events.waitUntilReady();
const flow = new FlowProducer({ connection });
const { job } = await flow.add({
  name: "merge",
  queueName: QUEUE,
  data: { arguments: ["merge", ...written, "--out", out] },
  children: all.map((words) => ({ name: "part", queueName: QUEUE, data: { arguments: words }, opts: options })),
});
console.log(`${all.length} jobs, and job ${job.id}, which puts together what they make.`);
try {
  console.log(await job.waitUntilFinished(events));
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}; the workers say why.`);
  process.exitCode = 1;
}
await flow.close();
await events.close();
