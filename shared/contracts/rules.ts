import * as z from "zod";
import { nullIsAbsent } from "./null-is-absent.ts";
import { identifier } from "./primitives.ts";

/** Pins of one request, at most. */
export const maxPins = 20;

const isoTime = z.iso.datetime({ offset: true });

/** Puts a product at a position of the list, from a time until another. */
export const pin = nullIsAbsent(
  z.strictObject({
    productId: identifier,
    position: z.number().int().min(1).max(100).meta({ description: "Position in the list, from 1." }),
    from: isoTime.optional().meta({ description: "The pin holds from this time on." }),
    until: isoTime.optional().meta({ description: "The pin holds before this time." }),
  }),
);
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
