import { z } from "zod";
import { instant } from "./primitives.ts";

/** Seconds before a failed message is tried again: doubles with each attempt, at most ten minutes. */
export const retryDelaySeconds = (attempts: number): number => Math.min(600, 2 ** Math.min(attempts, 10));

/** Deliveries after which a message goes to the dead-letter queue: `max_retries` of every consumer, and the first. */
export const maxDeliveries = 101;

/** The queues whose messages may turn out to be dead, by their short names. */
export const deadLetterQueues = ["interactions", "locations", "catalogue"] as const;
export const deadLetterQueue = z.enum(deadLetterQueues);
export type DeadLetterQueue = z.infer<typeof deadLetterQueue>;

/** Names a dead letter: its queue, and a hash of what it says, so that the same message again is the same letter. */
export const deadLetterId = z
  .string()
  .regex(/^(interactions|locations|catalogue)~[0-9a-f]{32}$/, "must be a queue, ~ and 32 hexadecimal digits");

/** A message that could not be consumed, as it is listed. */
export const deadLetter = z.object({
  id: deadLetterId,
  queue: deadLetterQueue,
  /** Why it could not be consumed, as last tried. */
  cause: z.string(),
  attempts: z.number().int(),
  /** When it was sent, and when it was given up (or tried again in vain). */
  sentAt: instant,
  diedAt: instant,
});
export type DeadLetter = z.infer<typeof deadLetter>;

/** A dead letter with what it says. */
export const deadLetterWithBody = deadLetter.extend({ body: z.unknown() });
export type DeadLetterWithBody = z.infer<typeof deadLetterWithBody>;

/** A letter that was replayed: all that its message should have done is done, and it is gone. */
export const replayedDeadLetter = z.object({ id: deadLetterId, status: z.literal("delivered") });
export type ReplayedDeadLetter = z.infer<typeof replayedDeadLetter>;
