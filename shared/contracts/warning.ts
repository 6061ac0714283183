import * as z from "zod";

/** What Vicinity did with a value that it accepted and did not use as it was sent, and why. */
export const inputWarning = z.object({
  /** The field, dotted, for example `home`. */
  path: z.string(),
  code: z.string(),
  message: z.string(),
});
export type InputWarning = z.infer<typeof inputWarning>;

/** A written value as it is stored, with the warnings about the input; absent if there are none. */
export type Written<T> = T & { warnings?: InputWarning[] };
