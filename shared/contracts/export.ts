import { z } from "zod";
import { eventType } from "./event.ts";
import { identifier, instant, point } from "./primitives.ts";
import { experimentCounts } from "./queues.ts";
import { recommendationReceipt } from "./recommendation.ts";
import { user, userInteraction } from "./user.ts";

/** Something that is held about a person, by the store that holds it. */
export const exportItem = z.discriminatedUnion("store", [
  z.object({ store: z.literal("profile"), profile: user }),
  z.object({ store: z.literal("interactions"), interaction: userInteraction }),
  z.object({
    store: z.literal("locations"),
    location: point,
    /** The precision that the person allowed then. */
    precision: z.string(),
    timestamp: instant,
  }),
  /** All that recommendations know of the person. Times are seconds. */
  z.object({ store: z.literal("memory"), memory: z.record(z.string(), z.unknown()) }),
  /** What came lately: what is still on its way to the other stores, and the ids of what has arrived there. */
  z.object({
    store: z.literal("journal"),
    id: z.string(),
    queue: z.string(),
    received: instant,
    body: z.unknown(),
  }),
  /** What was shown to the person, what the model saw of it until its window closed, and what came of it. */
  z.object({
    store: z.literal("receipts"),
    receipt: recommendationReceipt,
    seen: z.unknown(),
    outcomes: z.array(z.object({ productId: identifier, type: eventType })),
  }),
  /** What came of recommendations in experiments that are under way, under the person's pseudonym. */
  z.object({ store: z.literal("experiments"), counts: experimentCounts }),
  /** A line of the log that models learn from, under the person's pseudonym. */
  z.object({ store: z.literal("training_log"), line: z.unknown() }),
  /** A message about the person that could not be consumed. */
  z.object({ store: z.literal("dead_letters"), queue: z.string(), sentAt: instant, part: z.unknown() }),
]);
export type ExportItem = z.infer<typeof exportItem>;
