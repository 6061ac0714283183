// How a number begins in an encoded profile. A smaller byte is the number itself; each of these says what follows.

/** A whole number of two bytes. */
export const uint16Tag = 252;
/** A whole number of four bytes. */
export const uint32Tag = 253;
/** A floating-point number of eight bytes. */
export const float64Tag = 254;
/** Nothing: there is no number. */
export const nullTag = 255;
