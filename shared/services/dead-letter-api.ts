import type { DeadLetter, DeadLetterWithBody, ReplayedDeadLetter } from "../contracts/dead-letter.ts";
import type { Page, PageQuery } from "../contracts/page.ts";
import type { Result } from "../contracts/result.ts";

/**
 * Dead letters of a worker's queues: messages that could not be consumed. An id is `queue~hash`; an unknown id is
 * refused with `not_found`. The gateway calls these methods.
 */
export interface DeadLetterApi {
  /** Lists dead letters by id, ascending; at most 100 a page. */
  listDeadLetters(application: string, page: PageQuery): Promise<Result<Page<DeadLetter>>>;
  /** Returns a dead letter with the body of its message. */
  getDeadLetter(application: string, id: string): Promise<Result<DeadLetterWithBody>>;
  /**
   * Processes the message and deletes the dead letter. Refuses with `conflict` if the message does not match its
   * schema, and with `unavailable` if processing failed again.
   */
  replayDeadLetter(application: string, id: string): Promise<Result<ReplayedDeadLetter>>;
  /** Deletes a dead letter without processing its message. */
  discardDeadLetter(application: string, id: string): Promise<Result<null>>;
}
