/** Where the queue is: REDIS_URL, else a Redis on this machine. */
const url = new URL(process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379");

export const QUEUE = "divflow";
export const connection = {
  host: url.hostname,
  port: Number(url.port || 6379),
  ...(url.username ? { username: decodeURIComponent(url.username) } : {}),
  ...(url.password ? { password: decodeURIComponent(url.password) } : {}),
  ...(url.protocol === "rediss:" ? { tls: {} } : {}),
  maxRetriesPerRequest: null, // a worker waits for a Redis that is away
};
