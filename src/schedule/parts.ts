/**
 * Work in parts: a generator that stops now and then, so that whoever drives it can let others have their turn, or leave
 * it. A number says how many passes are done.
 */
export type InParts<Result> = Generator<number | undefined, Result, void>;

/** How many small pieces of work go by between two stops: a stop costs more than most of them. */
export const PIECES = 16;
