import * as z from "zod";
import { eventType } from "./event.ts";
import { identifier, instant, point } from "./primitives.ts";
import { experimentCounts } from "./queues.ts";
import { recommendationReceipt } from "./receipt.ts";
import { shownInteraction, shownUser } from "./user.ts";

/** One piece of data that is stored about a user, tagged with the store that holds it. */
export const exportItem = z.discriminatedUnion("store", [
  z.object({ store: z.literal("profile"), profile: shownUser }),
  z.object({ store: z.literal("interactions"), interaction: shownInteraction }),
  z.object({
    store: z.literal("locations"),
    location: point,
    /** The precision that the user allowed at that time. */
    precision: z.string(),
    timestamp: instant,
  }),
  /** The profile that recommendations are computed from. Times are seconds since the epoch. */
  z.object({ store: z.literal("memory"), memory: z.record(z.string(), z.unknown()) }),
  /** A row of the user's journal. `body` is null if only the id of the row is stored. */
  z.object({
    store: z.literal("journal"),
    id: z.string(),
    queue: z.string(),
    received: instant,
    body: z.unknown(),
  }),
  /**
   * What was shown to the user, what the model saw (until the click window closes), and the resulting events. `inputs` is
   * what the list was computed from, with the user's profile of that time; null if it is not recorded.
   */
  z.object({
    store: z.literal("receipts"),
    receipt: recommendationReceipt,
    seen: z.unknown(),
    outcomes: z.array(z.object({ productId: identifier, type: eventType })),
    inputs: z.unknown().optional(),
  }),
  /** Exposures and successes in running experiments, stored under the user's pseudonym. */
  z.object({ store: z.literal("experiments"), counts: experimentCounts }),
  /** A line of the training log, without the user's name in the log. */
  z.object({ store: z.literal("training_log"), line: z.unknown() }),
  /** The user's part of a dead-letter message. */
  z.object({ store: z.literal("dead_letters"), queue: z.string(), sentAt: instant, part: z.unknown() }),
]);
export type ExportItem = z.infer<typeof exportItem>;
