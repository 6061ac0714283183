/** Maximum number of dead-letter messages that one step reads. */
export const deadLettersPerStep = 50;
/** Maximum number of objects of the training log that one step reads. */
export const objectsPerStep = 50;
/**
 * Delay before dead-letter messages and training log are scanned again, in seconds. A queue consumer runs for at most 15
 * minutes.
 */
export const secondScanDelaySeconds = 1200;
/**
 * Pages that one call or alarm moves, coarsens or erases; the next alarm continues. A page takes at most 4 calls of other
 * workers and objects, and about 100 operations on a bucket: 300 for the day whose training log is being written, if the
 * user is in all of its segments. A request may make 32 calls of workers and 1,000 of all kinds, and
 * the clock stands still between the operations of a page, so that time alone bounds nothing.
 */
export const maxPagesPerRun = 5;
