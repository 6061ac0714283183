import * as z from "zod";

/** The name of a scenario. */
export const scenarioName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "must be 1-64 characters of a-z 0-9 -");
