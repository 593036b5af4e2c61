/**
 * Whether the module has what many pages never need: of kernels attention, products of many pairs and windows, of activations
 * all but silu, tanh, relu and sin. The build makes modules with it and without (.build/wasm.mjs).
 */
export const ALL: bool = true;
