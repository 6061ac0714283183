import * as z from "zod";
import {
  type DeadLetter,
  type DeadLetterWithBody,
  deadLetterId,
  type ReplayedDeadLetter,
} from "../contracts/dead-letter.ts";
import type { Page, PageQuery } from "../contracts/page.ts";
import { applicationName, plainId } from "../contracts/primitives.ts";
import { ok, parse, type Result, refuse } from "../contracts/result.ts";
import { errorText } from "../errors/error-text.ts";
import type { DeadLetterApi } from "../services/dead-letter-api.ts";
import { type DeadLetterBucket, DeadLetterStore } from "./dead-letter-store.ts";

const deadLetterCall = z.object({ application: applicationName, id: plainId });
const pageInput = z.object({
  application: applicationName,
  limit: z.number().int().min(1).max(100),
  cursor: deadLetterId.optional(),
});
const unknownDeadLetter = refuse("not_found", "There is no dead-letter message with this id.");

/**
 * Processes a dead-letter message as its consumer does. May run repeatedly. Refuses with `conflict` if the message does
 * not match its schema; throws if a step failed.
 */
export type Redeliver = (deadLetter: DeadLetterWithBody) => Promise<Result<null>>;

/** Implements {@link DeadLetterApi} for the dead-letter messages in a bucket. */
export class DeadLetterService implements DeadLetterApi {
  readonly #store: DeadLetterStore;
  readonly #redeliver: Redeliver;

  constructor(bucket: DeadLetterBucket, redeliver: Redeliver) {
    this.#store = new DeadLetterStore(bucket);
    this.#redeliver = redeliver;
  }

  async listDeadLetters(application: string, query: PageQuery): Promise<Result<Page<DeadLetter>>> {
    const parsed = parse(pageInput, { application, ...query });
    if (!parsed.ok) return parsed;
    return ok(await this.#store.list(application, parsed.value.limit, parsed.value.cursor));
  }

  async getDeadLetter(application: string, id: string): Promise<Result<DeadLetterWithBody>> {
    const parsed = parse(deadLetterCall, { application, id });
    if (!parsed.ok) return parsed;
    const deadLetter = await this.#store.get(application, id);
    return deadLetter ? ok(deadLetter) : unknownDeadLetter;
  }

  /** Deletes the dead-letter message only after it was processed, so that an interrupted replay can be repeated. */
  async replayDeadLetter(application: string, id: string): Promise<Result<ReplayedDeadLetter>> {
    const opened = await this.getDeadLetter(application, id);
    if (!opened.ok) return opened;
    try {
      const delivered = await this.#redeliver(opened.value);
      if (!delivered.ok) return delivered;
    } catch (error) {
      await this.#store.recordFailedReplay(application, opened.value, errorText(error));
      return refuse("unavailable", "Processing the dead-letter message failed again; its `cause` says why.", {
        retryAfter: 60,
      });
    }
    await this.#store.discard(application, id);
    return ok({ id: opened.value.id, status: "delivered" });
  }

  async discardDeadLetter(application: string, id: string): Promise<Result<null>> {
    const opened = await this.getDeadLetter(application, id);
    if (!opened.ok) return opened;
    await this.#store.discard(application, id);
    return ok(null);
  }
}
