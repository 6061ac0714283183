import * as z from "zod";
import { collectedConsent } from "./consent.ts";
import { excessDigits } from "./excess-digits.ts";
import { maxAmount } from "./minor-units.ts";
import { nullIsAbsent } from "./null-is-absent.ts";
import {
  categoryName,
  currencyCode,
  epochSeconds,
  identifier,
  plainId,
  point,
  precision,
} from "./primitives.ts";
import { timestamp } from "./timestamp.ts";

/** The types of event, in the order of the columns that count them. */
export const eventTypes = ["view", "click", "cart", "purchase", "dismiss"] as const;
export const eventType = z.enum(eventTypes);
export type EventType = z.infer<typeof eventType>;
/** The types of event that clients send and the history has. A refund counts in experiments only. */
export const storedTypes = [...eventTypes, "refund"] as const;
export const storedType = z.enum(storedTypes);
export type StoredType = z.infer<typeof storedType>;

/** Units of a product that one event concerns at most. */
const maxQuantity = 100_000;

/** An event as a client sends it. `location` is where the user was. */
const eventFields = nullIsAbsent(
  z.strictObject({
    eventId: identifier,
    userId: identifier,
    type: storedType.meta({
      description:
        "`refund` lowers what the user's purchases count in experiments, and counts nowhere else. It is about the user's newest purchase of the product.",
    }),
    productId: identifier,
    timestamp: timestamp.optional(),
    recommendationId: plainId.optional(),
    location: point.optional(),
    value: z.number().min(0).max(maxAmount).optional().meta({
      description:
        "What the whole event was worth, all units together, in units of `currency`, with at most as many digits after the decimal point as the currency has.",
    }),
    currency: currencyCode.optional().meta({ description: "Currency of `value`." }),
    quantity: z.number().int().min(1).max(maxQuantity).optional().meta({
      description: "Units of the product; one if absent.",
    }),
  }),
);

/** Reports a value without a currency or a currency without a value, and a value with more digits than its currency. */
export const eventInput = eventFields.superRefine(({ value, currency }, context) => {
  if (value === undefined && currency === undefined) return;
  if (value === undefined || currency === undefined) {
    const missing = value === undefined ? "value" : "currency";
    const present = value === undefined ? "currency" : "value";
    const message = `must be given with \`${present}\``;
    context.addIssue({ code: "custom", path: [missing], message });
  } else if (value >= 0 && value <= maxAmount) {
    const message = excessDigits(value, currency);
    if (message !== null) context.addIssue({ code: "custom", path: ["value"], input: value, message });
  }
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
  /** In whole minor units of the currency (cents for EUR), before discount. */
  priceMinor: z.number().int().nullable(),
  currency: z.string().nullable(),
});
export type ProductFacts = z.infer<typeof productFacts>;

/**
 * An event after validation: time in seconds, location reduced to the precision that the user allows, with the facts
 * of its product.
 */
export const interaction = z.object({
  eventId: identifier,
  type: storedType,
  productId: identifier,
  /** When the event happened, in seconds since the epoch. */
  time: epochSeconds,
  recommendationId: plainId.nullable(),
  /** Where the user was, at the precision that they allow; null if unknown. */
  location: point.nullable(),
  /** What the whole event was worth, in whole minor units of the currency; absent if the client did not say. */
  value: z.object({ minor: z.number().int().min(0), currency: currencyCode }).optional(),
  /** Units of the product; absent if the client did not say. */
  quantity: z.number().int().min(1).optional(),
  facts: productFacts,
});
export type Interaction = z.infer<typeof interaction>;

/** An interaction as the user's Durable Object receives it, with what is compared if its id is sent again. */
export const receivedInteraction = interaction.extend({
  /** The time that the client sent, in seconds since the epoch; null if the server set the time. */
  sentTime: epochSeconds.nullable().default(null),
  /** The precision of `location`. */
  precision: precision.default("exact"),
  /** Whether the user's database holds the event already, with the same content. */
  stored: z.boolean().default(false),
});
export type ReceivedInteraction = z.infer<typeof receivedInteraction>;

/** An interaction that the user's Durable Object has accepted. */
export const acceptedInteraction = interaction.extend({
  /** The consent under which the location was collected; absent without a location, and in rows of earlier versions. */
  consent: collectedConsent.optional(),
  /** Whether the interaction counts in the lists of others. It always counts in the user's own. */
  counts: z.boolean().default(true),
  /**
   * Keyed hash of the network of a user whom nobody vouches for, with product and type: such users of one network count
   * once by product, type and day. Null for other users, and where the interaction does not count.
   */
  networkKey: z.number().int().nullable().default(null),
  /** Whether this is the user's first choice of the product that counts. Totals count users by these first choices. */
  first: z.boolean(),
  /** Whether this is the first of the user's purchases of the product that count. Totals count buyers by them. */
  firstPurchase: z.boolean().default(false),
  /**
   * The user's choices just before this interaction, oldest first, at most three. Each choice counts as a transition to
   * this product if it `counts`: the user counted for its product, and not yet for this transition.
   */
  previous: z
    .array(
      z.object({ productId: identifier, cell: z.string().nullable(), counts: z.boolean().default(true) }),
    )
    .max(3),
});
export type AcceptedInteraction = z.infer<typeof acceptedInteraction>;

/** What Vicinity did with a part of an accepted event, and why. `index` is the event's position, from 0. */
export const eventWarning = z.object({
  index: z.number().int(),
  /**
   * `unknown_product`: the catalog has no such product. `location_coarsened`: the location was reduced to the precision
   * that the user allows. `location_not_stored`: the user allows no location. `location_not_believed`: the event is stored without it, or does not say where the user is.
   * `timestamp_in_future`: the time is at most 5 minutes ahead of the server, and counts as now.
   */
  code: z.string(),
  message: z.string(),
});
export type EventWarning = z.infer<typeof eventWarning>;

/** Why an event of a request was refused. `index` is the position in the request, from 0. */
export const rejectedEvent = z.object({
  index: z.number().int(),
  error: z.object({
    /**
     * `invalid_input`: a field is wrong. `timestamp_out_of_window`: the event is too old or in the future.
     * `event_id_conflict`: another event is stored under the id. `user_merged`: the user is merged into another.
     * `rate_limited`, `unavailable`: send it again later.
     */
    code: z.string(),
    /** What is right, and what was found. */
    message: z.string(),
    /** The wrong field; absent if the event itself is fine. */
    path: z.string().optional(),
    /** The fields that differ from the stored event (for `event_id_conflict`). */
    fields: z.array(z.string()).optional(),
    /** Seconds after which the client may send the event again; absent if the event itself is wrong. */
    retryAfter: z.number().int().optional(),
  }),
});
export type RejectedEvent = z.infer<typeof rejectedEvent>;

/** What happened to the events of a request. `index` is the position in the request, from 0. */
export const eventReceipt = z.object({
  accepted: z.number().int(),
  duplicates: z.number().int(),
  rejected: z.array(rejectedEvent),
  warnings: z.array(eventWarning),
});
export type EventReceipt = z.infer<typeof eventReceipt>;
