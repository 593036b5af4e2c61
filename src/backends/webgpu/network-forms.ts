/** What only programs of networks beside the MLP need: windows, and products of many pairs. A page downloads it for the first. */
import { windowFunctions, windowShader } from "./linear-window.ts";
import { matmulEachDispatch } from "./matmul-each-source.ts";

export const networkForms = { windowFunctions, windowShader, matmulEachDispatch };
