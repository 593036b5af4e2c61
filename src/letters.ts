/**
 * The entry `divflow/letters`: flows on the simplex, for sequences of letters. Apart from `divflow`, so that a page which has
 * none of it downloads none; a worker gets it all as graphs.
 */
export { type LettersDataOptions, lettersData, type Sequences } from "./data/letters.ts";
export { type SampledLetters, type SampleLettersOptions, sampleLetters } from "./engine/sample-letters.ts";
export { type CrossEntropyOptions, crossEntropy } from "./flow/losses/cross-entropy.ts";
export { dirichletFactor, type FactorValues } from "./flow/simplex/dirichlet-factor.ts";
export {
  type DirichletOptions,
  dirichlet,
  type LinearSimplexOptions,
  linearSimplex,
} from "./flow/simplex/letters-path.ts";
