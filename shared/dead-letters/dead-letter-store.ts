import * as z from "zod";
import {
  type DeadLetter,
  type DeadLetterQueue,
  type DeadLetterWithBody,
  deadLetter,
  deadLetterId,
  deadLetterQueue,
  deadLetterWithBody,
} from "../contracts/dead-letter.ts";
import type { Page } from "../contracts/page.ts";
import { applicationName, toInstant } from "../contracts/primitives.ts";
import { issuesOf } from "../contracts/result.ts";
import { sha256OfText } from "../hash/sha256.ts";

/** The methods of an R2 bucket that the dead-letter store uses. */
export type DeadLetterBucket = Pick<R2Bucket, "put" | "get" | "head" | "list" | "delete">;

/** Maximum length of a cause in characters. A cause may name every field of a large message. */
const maxCauseLength = 1000;
/**
 * Replaces the application in the key of a message that names none. No application can have this name, so the API never
 * lists such messages.
 */
export const noApplication = "~";
/** Maximum number of dead-letter messages that are read from R2 at the same time. */
const maxConcurrentReads = 6;

const messageOwner = z.object({ application: applicationName });
const applicationOf = (body: unknown): string => {
  const parsed = messageOwner.safeParse(body);
  return parsed.success ? parsed.data.application : noApplication;
};

/**
 * Returns the short name of a queue, also for its dead-letter queue: `interactions` for `vicinity-interactions-dead`.
 */
export function deadLetterQueueOf(name: string): DeadLetterQueue {
  return deadLetterQueue.parse(name.replace(/^vicinity-/, "").replace(/-dead$/, ""));
}

/** Returns the prefix of the keys of an application's dead-letter messages. */
export const deadLetterPrefix = (application: string): string => `${application}/dead/`;
const keyOf = (application: string, id: string): string =>
  `${deadLetterPrefix(application)}${id.replace("~", "/")}.json`;
const idOfKey = (key: string): string => key.split("/").slice(-2).join("~").replace(".json", "");

/** Returns the id of a dead-letter message: its queue, and 128 bits of the SHA-256 of its body. */
const deadLetterIdOf = async (queue: DeadLetterQueue, body: unknown): Promise<string> =>
  `${queue}~${(await sha256OfText(JSON.stringify(body))).slice(0, 32)}`;

/** The properties of a queue message that a dead-letter message contains. */
export type FailedMessage = Pick<Message, "body" | "timestamp" | "attempts">;

/** Returns what is wrong with a message as a cause: names of fields and violated rules, but no values. */
export const validationCause = (error: z.ZodError): string =>
  issuesOf(error)
    .map(({ path, message }) => (path === "" ? message : `${path}: ${message}`))
    .join("; ");

/**
 * Stores dead-letter messages in R2 by application, each with its cause, until a message is replayed, discarded or
 * expired.
 */
export class DeadLetterStore {
  readonly #bucket: DeadLetterBucket;

  constructor(bucket: DeadLetterBucket) {
    this.#bucket = bucket;
  }

  /** Stores a message with its cause. A message with the same body replaces the earlier one. */
  async keep(queue: string, message: FailedMessage, cause: string): Promise<void> {
    const name = deadLetterQueueOf(queue);
    const id = await deadLetterIdOf(name, message.body);
    await this.#put(applicationOf(message.body), {
      id,
      queue: name,
      cause: cause.slice(0, maxCauseLength),
      attempts: message.attempts,
      sentAt: message.timestamp.toISOString(),
      diedAt: toInstant(Date.now() / 1000),
      body: message.body,
    });
  }

  /**
   * Stores a message that arrived in a dead-letter queue, unless its consumer has stored it already with a more precise
   * cause.
   */
  async keepExhausted(queue: string, message: FailedMessage): Promise<void> {
    const id = await deadLetterIdOf(deadLetterQueueOf(queue), message.body);
    if (await this.#bucket.head(keyOf(applicationOf(message.body), id))) return;
    await this.keep(queue, message, "retries exhausted");
  }

  #put(application: string, deadLetter: DeadLetterWithBody): Promise<unknown> {
    return this.#bucket.put(keyOf(application, deadLetter.id), JSON.stringify(deadLetter), {
      httpMetadata: { contentType: "application/json" },
    });
  }

  /**
   * Lists an application's dead-letter messages by id, ascending. `cursor` is the `nextCursor` of the previous page.
   */
  async list(application: string, limit: number, cursor?: string): Promise<Page<DeadLetter>> {
    const after = cursor === undefined ? undefined : keyOf(application, deadLetterId.parse(cursor));
    const page = await this.#bucket.list({ prefix: deadLetterPrefix(application), limit, startAfter: after });
    const items: DeadLetter[] = [];
    for (let i = 0; i < page.objects.length; i += maxConcurrentReads) {
      const part = page.objects.slice(i, i + maxConcurrentReads);
      const opened = await Promise.all(part.map(({ key }) => this.get(application, idOfKey(key))));
      for (const each of opened) if (each) items.push(deadLetter.parse(each));
    }
    const last = page.objects.at(-1);
    return { items, ...(page.truncated && last ? { nextCursor: idOfKey(last.key) } : {}) };
  }

  /** Returns a dead-letter message with its body, or null if there is none. */
  async get(application: string, id: string): Promise<DeadLetterWithBody | null> {
    const object = await this.#bucket.get(keyOf(application, id));
    return object ? deadLetterWithBody.parse(await object.json()) : null;
  }

  /** Stores the cause of a failed replay, and counts the attempt. */
  async recordFailedReplay(
    application: string,
    deadLetter: DeadLetterWithBody,
    cause: string,
  ): Promise<void> {
    await this.#put(application, {
      ...deadLetter,
      cause: cause.slice(0, maxCauseLength),
      attempts: deadLetter.attempts + 1,
      diedAt: toInstant(Date.now() / 1000),
    });
  }

  /** Deletes a dead-letter message. */
  async discard(application: string, id: string): Promise<void> {
    await this.#bucket.delete(keyOf(application, id));
  }
}
