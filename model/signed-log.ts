/** Returns log(1 + value) for a value of at least 0, and -log(1 - value) for a negative one: an odd function. */
export const signedLog = (value: number): number => Math.sign(value) * Math.log1p(Math.abs(value));
