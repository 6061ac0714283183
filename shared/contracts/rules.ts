import * as z from "zod";
import { expressionSource } from "./expression.ts";
import { nullIsAbsent } from "./null-is-absent.ts";
import { identifier } from "./primitives.ts";

/** Pins of one request, and boosts with a condition, at most. */
export const maxPins = 20;
export const maxBoosts = 20;
/** Longest condition of a rule, in UTF-16 code units. */
const maxConditionLength = 1024;

/** Condition on the products that a rule is for. */
const condition = expressionSource.max(maxConditionLength).meta({
  description:
    'Products that the rule is for, as an expression like that of `filter`: `product.brand == "Acme"`.',
});

/** Reports that an object does not have exactly one of two fields. */
const exactlyOne =
  <First extends string, Second extends string>(first: First, second: Second) =>
  (input: Readonly<Partial<Record<First | Second, unknown>>>, context: z.RefinementCtx): void => {
    if ((input[first] === undefined) !== (input[second] === undefined)) return;
    context.addIssue({
      code: "custom",
      path: input[first] === undefined ? [] : [second],
      message: `must have either \`${first}\` or \`${second}\``,
    });
  };

/** Changes the scores of the products that meet a condition. */
export const boost = nullIsAbsent(
  z.strictObject({
    when: condition,
    multiply: z.number().min(0.01).max(100).optional().meta({ description: "Factor on the score." }),
    add: z.number().min(-10).max(10).optional().meta({
      description: "Added to the score, after all factors. A score below 0 becomes 0.",
    }),
  }),
).superRefine(exactlyOne("multiply", "add"));
export type Boost = z.infer<typeof boost>;

const isoTime = z.iso.datetime({ offset: true });

/** Puts a product at a position of the list, from a time until another. */
export const pin = nullIsAbsent(
  z.strictObject({
    productId: identifier.optional(),
    when: condition.optional().meta({
      description: "The best of the products that meet this condition holds the position.",
    }),
    position: z.number().int().min(1).max(100).meta({ description: "Position in the list, from 1." }),
    from: isoTime.optional().meta({ description: "The pin holds from this time on." }),
    until: isoTime.optional().meta({ description: "The pin holds before this time." }),
  }),
).superRefine(exactlyOne("productId", "when"));
export type Pin = z.infer<typeof pin>;

/** Properties of products by which rules form groups. */
export const groupingProperties = ["group", "category"] as const;
/** A property of products by which a rule forms groups: `group` stands for `groupId`. */
export const grouping = z.enum(groupingProperties);
export type Grouping = z.infer<typeof grouping>;

const days = z.number().int().min(0).max(3650);

/** Which products of the user's history their list leaves out. */
export const hide = nullIsAbsent(
  z.strictObject({
    purchasedDays: days.optional().meta({ description: "Days for which a purchased product is left out." }),
    dismissedDays: days.optional().meta({
      description: "Days for which a dismissed product is left out; the deployment's setting if absent.",
    }),
    viewed: nullIsAbsent(z.strictObject({ times: z.number().int().min(1).max(1000), days }))
      .optional()
      .meta({
        description:
          "Leaves out products that the user viewed so many times, and chose last less than so many days ago.",
      }),
  }),
);
export type Hide = z.infer<typeof hide>;
