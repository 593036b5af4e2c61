/** What examples/cluster/bullmq uses of the npm package, which is a dependency of that example alone. */
declare module "bullmq" {
  interface Job {
    readonly id?: string;
    readonly name: string;
    readonly data: { readonly arguments: readonly string[] };
    waitUntilFinished(events: QueueEvents): Promise<unknown>;
  }
  interface JobToAdd {
    readonly name: string;
    readonly queueName: string;
    readonly data: Job["data"];
    readonly opts?: object;
    readonly children?: readonly JobToAdd[];
  }
  interface Options {
    readonly connection: object;
    readonly concurrency?: number;
  }
  class QueueEvents {
    constructor(queue: string, options: Options);
    waitUntilReady(): Promise<unknown>;
    close(): Promise<void>;
  }
  class FlowProducer {
    constructor(options: Options);
    add(job: JobToAdd): Promise<{ readonly job: Job }>;
    close(): Promise<void>;
  }
  class Worker {
    constructor(queue: string, does: (job: Job) => Promise<unknown>, options: Options);
    on(event: "completed", listener: (job: Job) => void): this;
    on(event: "failed", listener: (job: Job | undefined, error: Error) => void): this;
    close(): Promise<void>;
  }
  class UnrecoverableError extends Error {}
}
