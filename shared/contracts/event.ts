import { z } from "zod";
import { categoryName, epochSeconds, identifier, instant, plainId, point } from "./primitives.ts";

/** The types of event, in the order of the columns that count them. */
export const eventTypes = ["view", "click", "cart", "purchase", "dismiss"] as const;
export const eventType = z.enum(eventTypes);
export type EventType = z.infer<typeof eventType>;

/** An event as a client sends it. `location` is where the user was. */
export const eventInput = z.strictObject({
  eventId: identifier,
  userId: identifier,
  type: eventType,
  productId: identifier,
  timestamp: instant.optional(),
  recommendationId: plainId.optional(),
  location: point.optional(),
});
export type EventInput = z.infer<typeof eventInput>;

/**
 * What the catalog said about an event's product when the event arrived. A field is null if the product is unknown,
 * or has no location, category or price.
 */
export const productFacts = z.object({
  /** The product's address in the spatial index: an H3 cell, or `world-N` for a product without a location. */
  cell: z.string().nullable(),
  lat: z.number().nullable(),
  lon: z.number().nullable(),
  category: categoryName.nullable(),
  /** In units of the currency (not cents). */
  price: z.number().nullable(),
});
export type ProductFacts = z.infer<typeof productFacts>;

/**
 * An event after validation: time in seconds, location reduced to the precision that the user allows, with the facts
 * of its product.
 */
export const interaction = z.object({
  eventId: identifier,
  type: eventType,
  productId: identifier,
  /** When the event happened, in seconds since the epoch. */
  time: epochSeconds,
  recommendationId: plainId.nullable(),
  /** Where the user was, at the precision that they allow; null if unknown. */
  location: point.nullable(),
  facts: productFacts,
});
export type Interaction = z.infer<typeof interaction>;

/** An interaction that the user's Durable Object has accepted. */
export const acceptedInteraction = interaction.extend({
  /** Whether this is the user's first choice of the product. Totals count users by these first choices. */
  first: z.boolean(),
  /** Whether this is the user's first purchase of the product. Totals count buyers by these first purchases. */
  firstPurchase: z.boolean().default(false),
  /**
   * The user's choices just before this interaction, oldest first, at most three. Each choice counts as a transition to
   * this product.
   */
  previous: z.array(z.object({ productId: identifier, cell: z.string().nullable() })).max(3),
});
export type AcceptedInteraction = z.infer<typeof acceptedInteraction>;

/** What Vicinity did with a part of an accepted event, and why. `index` is the event's position, from 0. */
export const eventWarning = z.object({
  index: z.number().int(),
  /**
   * `unknown_product`: the catalog has no such product. `location_coarsened`: the location was reduced to the precision
   * that the user allows. `location_not_believed`: the event is stored without it, or does not say where the user is.
   */
  code: z.string(),
  message: z.string(),
});
export type EventWarning = z.infer<typeof eventWarning>;

/** What happened to the events of a request. `index` is the position in the request, from 0. */
export const eventReceipt = z.object({
  accepted: z.number().int(),
  duplicates: z.number().int(),
  rejected: z.array(
    z.object({
      index: z.number().int(),
      error: z.object({
        code: z.string(),
        message: z.string(),
        /** Seconds after which the client may send the event again; absent if the event itself is invalid. */
        retryAfter: z.number().int().optional(),
      }),
    }),
  ),
  warnings: z.array(eventWarning),
});
export type EventReceipt = z.infer<typeof eventReceipt>;
