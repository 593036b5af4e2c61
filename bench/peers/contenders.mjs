/**
 * The peers, and where each takes part.
 * @import { Contender } from "../rows.mjs"
 * @import { Selection } from "../contenders.mjs"
 */

/**
 * What a peer is called, and the workloads it takes part in: the public trainer's step is divflow's own, and ONNX
 * Runtime Web runs models and trains none.
 */
export const peers = /** @type {const} */ ({
  "jax-js": { title: "jax-js", workloads: ["cfm", "fdm", "sample", "logdensity", "matmul"] },
  tfjs: { title: "TF.js", workloads: ["cfm", "fdm", "sample", "logdensity", "matmul"] },
  "onnxruntime-web": { title: "ONNX Runtime Web", workloads: ["sample"] },
});

/** @typedef {keyof typeof peers} Peer */
export const peerNames = /** @type {Peer[]} */ (Object.keys(peers));

/**
 * The peers where each does best, and jax-js also where divflow is measured: in Node it has one thread.
 * @param {readonly Peer[]} names
 * @param {Selection} selection
 */
export function peerContenders(names, { backend, threads }) {
  /** @type {Contender[]} */
  const contenders = [];
  const add = (
    /** @type {Omit<Contender, "relaxed" | "implementation" | "workloads"> & { implementation: Peer }} */ peer,
    /** @type {boolean | null} */ relaxed = null,
  ) => {
    const { workloads } = peers[peer.implementation];
    if (names.includes(peer.implementation)) contenders.push({ ...peer, relaxed, workloads });
  };
  if (backend.includes("wasm")) {
    if (threads.includes(1)) add({ implementation: "jax-js", runtime: "node", backend: "wasm", threads: 1 }, true);
    for (const count of threads) {
      for (const implementation of peerNames) {
        add({ implementation, runtime: "chromium", backend: "wasm", threads: count });
      }
    }
  }
  if (backend.includes("webgpu")) {
    for (const implementation of peerNames) add({ implementation, runtime: "chromium", backend: "webgpu", threads: 1 });
    add({ implementation: "jax-js", runtime: "deno", backend: "webgpu", threads: 1 });
  }
  return contenders;
}
