import { z } from "zod";
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

/** Where dead letters lie: the part of an R2 bucket that is used. */
export type DeadLetterBucket = Pick<R2Bucket, "put" | "get" | "head" | "list" | "delete">;

/** A cause is cut to so many characters: some name every field of a large message. */
const causeLength = 1000;
/** Letters of messages that name no application lie under this, which is no application's name: only who may read the bucket sees them. */
export const noApplication = "~";
/** Letters read at the same time. */
const maxConcurrentReads = 6;

const messageOwner = z.object({ application: applicationName });
const applicationOf = (body: unknown): string => {
  const parsed = messageOwner.safeParse(body);
  return parsed.success ? parsed.data.application : noApplication;
};

/** The short name of a queue or of its dead-letter queue. */
export function deadLetterQueueOf(name: string): DeadLetterQueue {
  return deadLetterQueue.parse(name.replace(/^vicinity-/, "").replace(/-dead$/, ""));
}

/** Prefix of an application's letters in their bucket. */
export const deadLetterPrefix = (application: string): string => `${application}/dead/`;
const keyOf = (application: string, id: string): string =>
  `${deadLetterPrefix(application)}${id.replace("~", "/")}.json`;
const idOf = (key: string): string => key.split("/").slice(-2).join("~").replace(".json", "");

/** What a queue gives of a message. */
export type FailedMessage = Pick<Message, "body" | "timestamp" | "attempts">;

/** What is wrong with a message, as a cause: fields and rules, no values. */
export const validationCause = (error: z.ZodError): string =>
  issuesOf(error)
    .map(({ path, message }) => (path === "" ? message : `${path}: ${message}`))
    .join("; ");

/** Messages that could not be consumed, kept with their cause by application until they are replayed or discarded. */
export class DeadLetterStore {
  readonly #bucket: DeadLetterBucket;

  constructor(bucket: DeadLetterBucket) {
    this.#bucket = bucket;
  }

  /** Keeps a message with its cause; the same message again replaces it. */
  async keep(queue: string, message: FailedMessage, cause: string): Promise<void> {
    const name = deadLetterQueueOf(queue);
    const id = `${name}~${(await sha256OfText(JSON.stringify(message.body))).slice(0, 32)}`;
    await this.#put(applicationOf(message.body), {
      id,
      queue: name,
      cause: cause.slice(0, causeLength),
      attempts: message.attempts,
      sentAt: message.timestamp.toISOString(),
      diedAt: toInstant(Date.now() / 1000),
      body: message.body,
    });
  }

  /** Keeps what the platform gave up, unless its consumer has kept it with a better cause. */
  async keepExhausted(queue: string, message: FailedMessage): Promise<void> {
    const id = `${deadLetterQueueOf(queue)}~${(await sha256OfText(JSON.stringify(message.body))).slice(0, 32)}`;
    if (await this.#bucket.head(keyOf(applicationOf(message.body), id))) return;
    await this.keep(queue, message, "retries exhausted");
  }

  #put(application: string, deadLetter: DeadLetterWithBody): Promise<unknown> {
    return this.#bucket.put(keyOf(application, deadLetter.id), JSON.stringify(deadLetter), {
      httpMetadata: { contentType: "application/json" },
    });
  }

  /** An application's letters by their ids, ascending; `cursor` is of the page before. */
  async list(application: string, limit: number, cursor?: string): Promise<Page<DeadLetter>> {
    const after = cursor === undefined ? undefined : keyOf(application, deadLetterId.parse(cursor));
    const page = await this.#bucket.list({ prefix: deadLetterPrefix(application), limit, startAfter: after });
    const items: DeadLetter[] = [];
    for (let i = 0; i < page.objects.length; i += maxConcurrentReads) {
      const part = page.objects.slice(i, i + maxConcurrentReads);
      const opened = await Promise.all(part.map(({ key }) => this.get(application, idOf(key))));
      for (const each of opened) if (each) items.push(deadLetter.parse(each));
    }
    const last = page.objects.at(-1);
    return { items, ...(page.truncated && last ? { nextCursor: idOf(last.key) } : {}) };
  }

  /** A letter with what it says; null where there is none. */
  async get(application: string, id: string): Promise<DeadLetterWithBody | null> {
    const object = await this.#bucket.get(keyOf(application, id));
    return object ? deadLetterWithBody.parse(await object.json()) : null;
  }

  /** Notes that a letter was tried again in vain. */
  async recordFailedReplay(
    application: string,
    deadLetter: DeadLetterWithBody,
    cause: string,
  ): Promise<void> {
    await this.#put(application, {
      ...deadLetter,
      cause: cause.slice(0, causeLength),
      attempts: deadLetter.attempts + 1,
      diedAt: toInstant(Date.now() / 1000),
    });
  }

  /** Forgets a letter. */
  async discard(application: string, id: string): Promise<void> {
    await this.#bucket.delete(keyOf(application, id));
  }
}
