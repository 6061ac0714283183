import * as z from "zod";

/** Days of a week, in the order of columns: Monday first. */
export const weekdays = [
  "monday",
  "tuesday",
  "wednesday",
  "thursday",
  "friday",
  "saturday",
  "sunday",
] as const;

const clock = z
  .string()
  .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$/, "must be a time of day such as 09:30; 24:00 ends a day");

const openingTime = z
  .strictObject({
    days: z.array(z.enum(weekdays)).min(1).max(7),
    opens: clock,
    closes: clock,
  })
  .superRefine(({ opens, closes }, context) => {
    if (opens === "24:00")
      context.addIssue({ code: "custom", path: ["opens"], input: opens, message: "must be before 24:00" });
    if (opens === closes)
      context.addIssue({
        code: "custom",
        path: ["closes"],
        input: closes,
        message: "must differ from `opens`; a whole day is from 00:00 to 24:00",
      });
  });

/**
 * When the place of a product is open each week, in its local time. What closes before it opens is open over midnight,
 * until the next day.
 */
export const openingHours = z.array(openingTime).min(1).max(28);
export type OpeningHours = z.infer<typeof openingHours>;
