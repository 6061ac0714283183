import * as z from "zod";
import { instant } from "./primitives.ts";

/** Returns the seconds until a failed message is retried: doubles with each attempt, at most 600. */
export const retryDelaySeconds = (attempts: number): number => Math.min(600, 2 ** attempts);

/**
 * Number of deliveries after which a queue moves a message to its dead-letter queue: the first delivery, and the
 * `max_retries` of each consumer.
 */
export const maxDeliveries = 101;

/** Short names of the queues that have a dead-letter queue. */
export const deadLetterQueues = ["interactions", "locations", "catalogue"] as const;
export const deadLetterQueue = z.enum(deadLetterQueues);
export type DeadLetterQueue = z.infer<typeof deadLetterQueue>;

/** Id of a dead-letter message: its queue and a hash of its body, so that the same message always has the same id. */
export const deadLetterId = z
  .string()
  .regex(/^(interactions|locations|catalogue)~[0-9a-f]{32}$/, "must be a queue, ~ and 32 hexadecimal digits");

/** A dead-letter message, which is a queue message that could not be consumed, without its body. */
export const deadLetter = z.object({
  id: deadLetterId,
  queue: deadLetterQueue,
  /** Why the last attempt failed. */
  cause: z.string(),
  attempts: z.number().int(),
  /** When the producer sent the message. */
  sentAt: instant,
  /** When the last attempt failed: the last delivery, or a later replay. */
  diedAt: instant,
});
export type DeadLetter = z.infer<typeof deadLetter>;

/** A dead-letter message with its body. */
export const deadLetterWithBody = deadLetter.extend({ body: z.unknown() });
export type DeadLetterWithBody = z.infer<typeof deadLetterWithBody>;

/** Answer of a successful replay. The dead-letter message was processed completely, then deleted. */
export const replayedDeadLetter = z.object({ id: deadLetterId, status: z.literal("delivered") });
export type ReplayedDeadLetter = z.infer<typeof replayedDeadLetter>;
