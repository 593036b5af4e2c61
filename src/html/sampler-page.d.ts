/**
 * What the build makes of page/ and puts beside the bundles: the page's text, style, program and engine inside, in the pieces
 * between which the model's own parts stand.
 */
export interface Pieces {
  /** Up to the title's text. */
  readonly beforeTitle: string;
  /** From there up to the facts, as JSON. */
  readonly beforeFacts: string;
  /** From there up to the model file, in base64. */
  readonly beforeModel: string;
  readonly end: string;
}
export declare const pieces: Pieces;
