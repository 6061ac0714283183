/** Seconds in a minute. */
export const minuteSeconds = 60;
/** Seconds in an hour. */
export const hourSeconds = 3600;
/** Seconds in a day. */
export const daySeconds = 86_400;
