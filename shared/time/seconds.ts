/** Lengths of units of time, in seconds. */
export const hourSeconds = 3600;
export const daySeconds = 86_400;
