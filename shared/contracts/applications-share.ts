import * as z from "zod";

/** The share that has all applications. */
export const allApplications = { index: 0, of: 1 };

/**
 * One of `of` shares of all applications, by a hash of their names. `index` is from 0. A caller of an older version names
 * none, and means all.
 */
export const applicationsShare = z
  .object({ index: z.number().int().min(0), of: z.number().int().min(1).max(1000) })
  .default(allApplications);
export type ApplicationsShare = z.infer<typeof applicationsShare>;
