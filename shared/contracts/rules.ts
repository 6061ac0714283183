import * as z from "zod";
import { attributeName } from "./catalog-schema.ts";
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

/** Properties by which one request collapses its list, and attributes that it caps, at most. */
export const maxGroupings = 4;

/** A property of products by which a rule forms groups: `group` stands for `groupId`. */
export const grouping = z
  .string()
  .regex(
    /^(group|category|brand|attributes\.[A-Za-z][A-Za-z0-9_]{0,63})$/,
    "must be `group`, `category`, `brand`, or `attributes.` with the name of a filterable attribute",
  );
export type Grouping = z.infer<typeof grouping>;

/** Returns the attribute by which a rule forms groups; null for another property. */
export const groupingAttribute = (by: Grouping): string | null =>
  by.startsWith("attributes.") ? by.slice("attributes.".length) : null;

/** How many products of a group a list has at most. */
const cap = z.number().int().min(1).max(100);

/** Limits of the products of one group in a list. */
export const caps = nullIsAbsent(
  z.strictObject({
    perCategory: cap.optional().meta({ description: "Products of one main category, at most." }),
    perGroup: cap.optional().meta({
      description: "Products of one `groupId`, at most. It counts if `collapse` leaves out `group`.",
    }),
    perBrand: cap.optional().meta({ description: "Products of one brand, at most." }),
    perAttribute: z
      .record(attributeName, cap)
      .refine((limits) => Object.keys(limits).length <= maxGroupings, {
        message: `must name at most ${maxGroupings} attributes`,
      })
      .optional()
      .meta({
        description:
          "Products of one value of a filterable attribute, at most, by name of the attribute. A product counts for each value of a list.",
      }),
  }),
);

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

/** Share of lists that may explore, at most: the model must show its best choice more often than not. */
export const maxExploredShare = 0.5;

/** How often a list explores, and which products. */
export const explore = nullIsAbsent(
  z.strictObject({
    share: z.number().min(0).max(maxExploredShare).meta({
      description: "Share of lists whose last position shows one of the next products instead.",
    }),
    when: condition.optional().meta({
      description: "Only products that meet this condition are shown so; all may be if absent.",
    }),
    drawn: z.number().min(0).max(maxExploredShare).optional().meta({
      description:
        "Share of lists whose order is drawn by chance, in favor of the first ranks; the deployment's setting if absent, and none if `share` is 0.",
    }),
  }),
);
export type Explore = z.infer<typeof explore>;

/** What an outcome is worth, in any unit. */
const worth = z.number().min(0).max(1_000_000);

/** What the outcomes of a recommendation are worth. */
export const objective = nullIsAbsent(
  z.strictObject({
    click: worth.optional().meta({
      description:
        "Worth of a user who follows the recommendation: a view, click, cart or purchase. 0 if absent.",
    }),
    purchase: worth.optional().meta({ description: "Worth of a purchase, besides that. 0 if absent." }),
    margin: attributeName.optional().meta({
      description:
        "A filterable attribute of type `number` that multiplies the worth of a purchase, such as the margin of the product. A product without it counts as the mean of the candidates.",
    }),
  }),
).superRefine(({ click = 0, purchase = 0, margin }, context) => {
  if (click + purchase === 0)
    context.addIssue({ code: "custom", message: "must give `click` or `purchase` a worth above 0" });
  else if (margin !== undefined && purchase === 0)
    context.addIssue({
      code: "custom",
      path: ["margin"],
      message: "multiplies the worth of a purchase, so `purchase` must be above 0",
    });
});
export type Objective = z.infer<typeof objective>;
