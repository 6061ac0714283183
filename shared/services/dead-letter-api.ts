import type { DeadLetter, DeadLetterWithBody, ReplayedDeadLetter } from "../contracts/dead-letter.ts";
import type { Page, PageQuery } from "../contracts/page.ts";
import type { Result } from "../contracts/result.ts";

/**
 * RPC interface of a worker whose queues have dead-letter queues. An id is `queue~hash`; an unknown id is refused with
 * `not_found`. The gateway calls these methods.
 */
export interface DeadLetterApi {
  /** Lists dead-letter messages by id, ascending; at most 100 a page. */
  listDeadLetters(application: string, page: PageQuery): Promise<Result<Page<DeadLetter>>>;
  /** Returns a dead-letter message with its body. */
  getDeadLetter(application: string, id: string): Promise<Result<DeadLetterWithBody>>;
  /**
   * Processes a dead-letter message, then deletes it. Refuses with `conflict` if the message does not match its schema,
   * and with `unavailable` if processing failed again.
   */
  replayDeadLetter(application: string, id: string): Promise<Result<ReplayedDeadLetter>>;
  /** Deletes a dead-letter message without processing it. */
  discardDeadLetter(application: string, id: string): Promise<Result<null>>;
}
