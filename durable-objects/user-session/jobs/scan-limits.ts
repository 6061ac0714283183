/** Maximum number of dead-letter messages that one step reads. */
export const deadLettersPerStep = 50;
/** Maximum number of objects of the training log that one step reads. */
export const objectsPerStep = 50;
/**
 * Delay before dead-letter messages and training log are scanned again, in seconds. A queue consumer runs for at most 15
 * minutes.
 */
export const secondScanDelaySeconds = 1200;
