import { type Precision, precisions } from "../contracts/primitives.ts";

const rank = (level: Precision): number => precisions.indexOf(level);

/** Returns whether a level of consent allows finer locations than another one. */
export const isFiner = (level: Precision, than: Precision): boolean => rank(level) < rank(than);

/** Returns the coarser of two levels of consent. */
export const coarserOf = (a: Precision, b: Precision): Precision => (isFiner(a, b) ? b : a);
