/** Names of tensors in files of weights alone. Imports nothing: pages ask before they load what reads files. */

/** The end of a linear layer's tensor's name: the layer's number, and which of the two it is. */
export const LAYER = /(?<!\d)(\d+)\.(?:weight|bias)$/;

/** Whether all tensors are of linear layers by number, as in nn.Sequential. */
export function isLayers(names: Iterable<string>): boolean {
  return [...names].every((name) => LAYER.test(name));
}
