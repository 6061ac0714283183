import { z } from "zod";
import { categoryName, epochSeconds, identifier, instant, point } from "./primitives.ts";

/** What a person can do with a product, in the order of the columns that count them. */
export const eventTypes = ["view", "click", "cart", "purchase", "dismiss"] as const;
export const eventType = z.enum(eventTypes);
export type EventType = z.infer<typeof eventType>;

/** An event as a client sends it. `location` is where the person was. */
export const eventInput = z.strictObject({
  eventId: identifier,
  userId: identifier,
  type: eventType,
  productId: identifier,
  timestamp: instant.optional(),
  recommendationId: identifier.optional(),
  location: point.optional(),
});
export type EventInput = z.infer<typeof eventInput>;

/** What the catalogue knew of an event's product when the event arrived; null where it is unknown or placeless. */
export const productFacts = z.object({
  /** H3 leaf cell of the product; for a placeless product its world cell's name. */
  cell: z.string().nullable(),
  lat: z.number().nullable(),
  lon: z.number().nullable(),
  category: categoryName.nullable(),
  /** In the currency's units. */
  price: z.number().nullable(),
});
export type ProductFacts = z.infer<typeof productFacts>;

/**
 * An event inside: parsed, on the seconds scale, location already at the person's precision,
 * beside the facts of its product.
 */
export const interaction = z.object({
  eventId: identifier,
  type: eventType,
  productId: identifier,
  /** When it happened, seconds since the epoch. */
  time: epochSeconds,
  recommendationId: identifier.nullable(),
  /** Where the person was, at their precision. */
  location: point.nullable(),
  facts: productFacts,
});
export type Interaction = z.infer<typeof interaction>;

/** An interaction that a person's object has accepted. */
export const acceptedInteraction = interaction.extend({
  /** True for the person's first interaction with this product: totals count people with it. */
  first: z.boolean(),
  /** The person's choices just before (oldest first, at most three), from which neighbours are learnt. */
  previous: z.array(z.object({ productId: identifier, cell: z.string().nullable() })).max(3),
});
export type AcceptedInteraction = z.infer<typeof acceptedInteraction>;

/** What happened to each event of a request, by its index in it. */
export const eventReceipt = z.object({
  accepted: z.number().int(),
  duplicates: z.number().int(),
  rejected: z.array(
    z.object({
      index: z.number().int(),
      error: z.object({
        code: z.string(),
        message: z.string(),
        /** Seconds after which it may be sent again; absent where it is wrong as it is. */
        retryAfter: z.number().int().optional(),
      }),
    }),
  ),
  warnings: z.array(z.object({ index: z.number().int(), code: z.string() })),
});
export type EventReceipt = z.infer<typeof eventReceipt>;
