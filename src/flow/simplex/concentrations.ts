/** Concentrations a that the Dirichlet path's tables go to, from 1: training draws a = 1 + 2 Exp(1) of 24 bits, at most 34.3. */
export const LARGEST_CONCENTRATION = 36;
