import * as z from "zod";
import { attributeTypes } from "./catalog-schema.ts";
import { currencyCode } from "./primitives.ts";

/** Longest source of an expression, in UTF-16 code units. */
export const maxExpressionLength = 4096;

/** The source of a condition on products, in the Common Expression Language. */
export const expressionSource = z
  .string()
  .min(1)
  .max(maxExpressionLength)
  .meta({
    description:
      "Condition that each product must meet, in the Common Expression Language: " +
      "`product.price <= 20.0 && distanceKm < 3.0`. The guide `expressions.md` lists the fields.",
  });

/** What an expression may know of the user of a list. */
export const expressionUser = z.object({
  /** Choices of all time: all interactions but dismissals. */
  choices: z.number(),
  /** The category of the most choices; null without choices. */
  favoriteCategory: z.string().nullable(),
  /** UTC days on which events of the user arrived. */
  activeDays: z.number(),
  /** When the first event of the user arrived, in seconds since the epoch; null before. */
  since: z.number().nullable(),
});
export type ExpressionUser = z.infer<typeof expressionUser>;

/** What an expression may know besides the product and the location of the list. */
export const expressionScope = z.object({
  /**
   * Currency of prices (ISO 4217). Null compares products without a currency only. Absent if nobody decided it: then no
   * price may be read.
   */
  currency: currencyCode.nullable().optional(),
  /** Time of the request, in seconds since the epoch. */
  now: z.number(),
  /** Seconds that local time at the location is ahead of UTC. */
  offsetSeconds: z.number(),
  /** Null in a list that is the same for every user, or if the requester may not know it. */
  user: expressionUser.nullable(),
  /** The declared attributes that the expression may read; absent for none. */
  attributes: attributeTypes.optional(),
});
export type ExpressionScope = z.infer<typeof expressionScope>;
