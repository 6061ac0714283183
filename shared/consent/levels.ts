import { type Precision, precisions } from "../contracts/primitives.ts";

const rank = (level: Precision): number => precisions.indexOf(level);

/** Returns whether a level of consent allows finer locations than another one. */
export const isFiner = (level: Precision, than: Precision): boolean => rank(level) < rank(than);

/** Returns the coarser of two levels of consent. */
export const coarserOf = (a: Precision, b: Precision): Precision => (isFiner(a, b) ? b : a);

/** Why a user's object refuses a location that is finer than the consent, which was lowered after the caller read it. */
export const consentLoweredText = "The user's consent was lowered just now. Send the location again.";
