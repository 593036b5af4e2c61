/**
 * Whether the module has what only networks beside the MLP need: attention, products of many pairs and windows. The build
 * makes modules with it and without (.build/wasm.mjs).
 */
export const NETWORKS: bool = true;
