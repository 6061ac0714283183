import { join } from "node:path";

/**
 * Files that set up a test project, so that property tests try the same inputs in each run of the short form. The long form
 * tries others each time.
 */
export const seedFiles: string[] =
  process.env.VICINITY_LONG === "1" ? [] : [join(import.meta.dirname, "fixed-seed.ts")];
