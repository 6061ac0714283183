/** Seconds before a failed message is tried again: doubles with each attempt, at most ten minutes. */
export const retryDelaySeconds = (attempts: number): number => Math.min(600, 2 ** Math.min(attempts, 10));

/** Key of a dead letter in R2: what could not be consumed, kept with its cause until it is replayed. */
export const deadLetterKey = (queue: string, messageId: string): string => `dead/${queue}/${messageId}.json`;
