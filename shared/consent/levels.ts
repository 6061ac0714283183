import { type Precision, precisions } from "../contracts/primitives.ts";

/** Returns the rank of a level of consent, 0 for the finest. */
export const rankOf = (level: Precision): number => precisions.indexOf(level);

/** Returns whether a level of consent allows finer locations than another one. */
export const isFiner = (level: Precision, than: Precision): boolean => rankOf(level) < rankOf(than);

/** Returns the coarser of two levels of consent. */
export const coarserOf = (a: Precision, b: Precision): Precision => (isFiner(a, b) ? b : a);

/** Why a location is refused whose user changes their consent again and again while it is stored. */
export const consentChangesText = "The user's consent changes just now. Send the location again.";
