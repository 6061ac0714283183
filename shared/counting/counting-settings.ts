import * as z from "zod";
import { parseJsonVariable } from "../settings/parse-json-variable.ts";

const share = z.number().min(0).max(1);
const hourly = z.number().int().min(1).max(1_000_000);

/** Which events of a user count for the lists of others, and how many events a user may send. */
export const countingSettings = z.strictObject({
  /** Weight of a new user whom nobody vouches for: the probability that their events of a product count for others. */
  newUserWeight: share.default(0.001),
  /** Days since the first event, and days with an event, after which such a user may count like any other. */
  matureDays: z.number().min(0).max(3650).default(30),
  matureActiveDays: z.number().int().min(1).max(3650).default(10),
  /** Share of one product in a user's choices above which their weight falls. A user of one product has none. */
  maxProductShare: share.max(0.99).default(0.5),
  /** Events in an hour above which a user does not behave like a human: their events of that hour do not count. */
  maxHumanEvents: hourly.default(120),
  /** Events of one type by which a user counts for a product before they count once in `againDays`. */
  timesCounted: z.number().int().min(1).max(1000).default(4),
  againDays: z.number().min(0).max(3650).default(30),
  /** Events of one user in an hour, above which events from user tokens are refused. */
  hourlyEvents: hourly.default(600),
  /** The same for a user whom nobody vouches for. */
  hourlyEventsUnvouched: hourly.default(200),
  /** Locations of one user in an hour, above which locations from user tokens are refused. */
  hourlyLocations: hourly.default(120),
  /** Recommendations of one user in an hour that are stored. Further ones are answered, and have no receipt. */
  hourlyImpressions: hourly.default(600),
  /** The same for a user whom nobody vouches for. */
  hourlyImpressionsUnvouched: hourly.default(120),
  /** Recommendations of one user in an hour that count in an experiment. */
  hourlyExposures: hourly.default(20),
});
export type CountingSettings = z.infer<typeof countingSettings>;

/** The settings without the variable `COUNTING`. */
export const defaultCounting: CountingSettings = countingSettings.parse({});

/**
 * Returns the settings from the JSON in the variable `COUNTING`, with defaults. Throws if the JSON is not as documented,
 * and names the unknown or wrong setting.
 */
export const countingSettingsOf = (variables: object): CountingSettings =>
  parseJsonVariable(variables, "COUNTING", countingSettings);
