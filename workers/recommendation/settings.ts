import * as z from "zod";
import { gateConfiguration } from "../../model/recalibrate/gate.ts";
import { defaultHistoryRules, type HistoryRules } from "../../model/rules/hidden-products.ts";
import {
  intentRule,
  purchasedRule,
  type RecommendationInput,
  shownRule,
} from "../../shared/contracts/recommendation.ts";
import { parseJsonVariable } from "../../shared/settings/parse-json-variable.ts";
import { hourSeconds } from "../../shared/time/seconds.ts";

const share = z.number().min(0).max(1);

/** Settings of model rollouts and of exploration. */
export const rolloutSettings = z.strictObject({
  /** Whether registered models start and advance their rollouts by themselves; else an operator promotes them. */
  automatic: z.boolean().default(true),
  shadow: z
    .strictObject({
      /** Share of the requests that the shadow model scores too. */
      share: share.default(0.2),
      /** Scored requests and elapsed seconds before the canary may start. */
      minRequests: z.number().int().min(0).default(100),
      minSeconds: z.number().min(0).default(60),
      /** Share of the scored requests that may fail. */
      maxFailures: share.default(0.01),
    })
    .prefault({}),
  canary: z
    .strictObject({
      /** Share of the users whom the candidate model serves on the first day; the control group has the same size. */
      share: z.number().gt(0).max(0.5).default(0.1),
      /** Largest share. The share doubles after each `doubleSeconds` without a decision: a small shop needs more users. */
      maxShare: z.number().gt(0).max(0.5).default(0.5),
      doubleSeconds: z.number().positive().default(86_400),
      /**
       * Probability of a wrong verdict: rolling back an equally good model, or promoting one that loses more than
       * `margin`.
       */
      alpha: z.number().gt(0).lt(1).default(0.05),
      /** Standard deviation of the expected differences of success rates; the test is most powerful near it. */
      effect: z.number().gt(0).max(1).default(0.03),
      minUsers: z.number().int().min(2).default(50),
      minExposures: z.number().int().min(1).default(500),
      /** Loss that is tolerated, as a share of the control's success rate. */
      margin: share.default(0.1),
      /** Loss that must be excluded before an undecided candidate is promoted, as a share of the control's success rate. */
      maxLoss: share.gt(0).default(0.3),
      /** Probability that an undecided candidate with such a loss is promoted. */
      maxLossAlpha: z.number().gt(0).lt(0.5).default(0.02),
      /** Seconds after which an undecided candidate may be promoted, and after which an undecided canary ends. */
      undecidedSeconds: z
        .number()
        .min(0)
        .default(3 * 86_400),
      maxSeconds: z
        .number()
        .positive()
        .default(14 * 86_400),
      /**
       * What becomes of an undecided candidate. `equal`: it is promoted if its estimate is at least equal and `maxLoss` is
       * excluded, and rolled back after `maxSeconds`. `promote` and `rollback`: after `maxSeconds`, whatever its estimate.
       */
      undecided: z.enum(["equal", "promote", "rollback"]).default("equal"),
    })
    .prefault({}),
  /** Gate for uploaded models, the same as for recalibrated models; see `model/recalibrate/gate.ts`. */
  gate: gateConfiguration.prefault({}),
  /** Inactive versions that are kept, in addition to the version that a rollback would restore. */
  kept: z.number().int().min(0).default(10),
  /**
   * Random exploration in the last position of lists, and lists whose order is drawn; see `model/experiments/exploration.ts`.
   * A `share` of 0 draws none.
   */
  exploration: z
    .strictObject({
      rate: share.max(0.5).default(0),
      depth: z.number().int().min(1).max(50).default(10),
      drawn: z
        .strictObject({
          share: share.max(0.5).default(0),
          temperature: z.number().min(0.1).max(10).default(1),
        })
        .prefault({}),
    })
    .prefault({}),
});
export type RolloutSettings = z.infer<typeof rolloutSettings>;

/**
 * Returns the settings from the JSON in the variable `ROLLOUT`, with defaults. Throws if the JSON is not as documented;
 * an unknown setting is refused by name.
 */
export const rolloutSettingsOf = (variables: object): RolloutSettings =>
  parseJsonVariable(variables, "ROLLOUT", rolloutSettings);

/** Returns the schema of a number of days in a variable: at most ten years, `days` if the variable is absent. */
const daysOr = (days: number) =>
  z
    .string()
    .regex(/^\d{1,4}(\.\d{1,6})?$/, "must be a number of days, for example 30")
    .transform(Number)
    .pipe(z.number().max(3650))
    .default(days);

/** The fields of a request that are rules for the user's history. */
type HistoryFields = Pick<RecommendationInput, "purchased" | "shown" | "intent" | "hide">;

const historyVariables = z.object({
  DISMISSED_DAYS: daysOr(defaultHistoryRules.dismissedDays),
  PURCHASED: purchasedRule.default(defaultHistoryRules.purchased),
  PURCHASED_DAYS: daysOr(defaultHistoryRules.purchasedDays),
  SHOWN: shownRule.default("fade"),
  INTENT: intentRule.default("follow"),
});

/**
 * Returns the rules for what a user did before, from the variables `DISMISSED_DAYS`, `PURCHASED`, `PURCHASED_DAYS`, `SHOWN`
 * and `INTENT`. The fields of a request take precedence. Throws if a variable is not as documented, and names it.
 */
export function historyRulesOf(
  variables: object,
  { purchased, shown, intent, hide = {} }: HistoryFields = {},
): HistoryRules {
  const settings = historyVariables.parse(variables);
  return {
    dismissedDays: hide.dismissedDays ?? settings.DISMISSED_DAYS,
    ...(hide.purchasedDays === undefined
      ? { purchased: purchased ?? settings.PURCHASED, purchasedDays: settings.PURCHASED_DAYS }
      : { purchased: "hide", purchasedDays: hide.purchasedDays }),
    shown: shown ?? settings.SHOWN,
    intent: intent ?? settings.INTENT,
    ...(hide.viewed ? { viewed: hide.viewed } : {}),
  };
}

const impressionDelay = z
  .string()
  .regex(/^\d{1,4}$/)
  .transform(Number)
  .pipe(z.number().max(1000))
  .default(200);

/**
 * Returns how long an impression waits for others of the same user, in milliseconds: `IMPRESSION_DELAY_MS` of the
 * worker's variables, 0 to 1,000, default 200. Throws if the variable is invalid.
 */
export function impressionDelayOf(variables: object): number {
  const found: unknown = Reflect.get(variables, "IMPRESSION_DELAY_MS");
  const delay = impressionDelay.safeParse(found);
  if (delay.success) return delay.data;
  throw new Error(`IMPRESSION_DELAY_MS must be a whole number, 0 to 1000; got ${JSON.stringify(found)}`);
}

const recordedInputs = z.enum(["explained", "all", "none"]).default("explained");

/**
 * Returns whether what a recommendation is computed from is recorded, so that it can be replayed: `RECORD_INPUTS` of the
 * worker's variables, by default those with an explanation. Throws if the variable is invalid.
 */
export function recordsInputs(variables: object, isExplained: boolean): boolean {
  const found: unknown = Reflect.get(variables, "RECORD_INPUTS");
  const setting = recordedInputs.safeParse(found);
  if (setting.success) return setting.data === "all" || (setting.data === "explained" && isExplained);
  throw new Error(`RECORD_INPUTS must be explained, all or none; got ${JSON.stringify(found)}`);
}

/** A year, in hours. */
const maxLastLocationHours = 8760;

const lastLocationHours = z
  .string()
  .regex(/^\d{1,4}(\.\d{1,6})?$/)
  .transform(Number)
  .pipe(z.number().max(maxLastLocationHours))
  .default(12);

/**
 * Returns how long a user's last location counts as where they are, in seconds: `LAST_LOCATION_HOURS` of the worker's
 * variables, 0 to 8,760, default 12. Throws if the variable is invalid.
 */
export function lastLocationSecondsOf(variables: object): number {
  const found: unknown = Reflect.get(variables, "LAST_LOCATION_HOURS");
  const hours = lastLocationHours.safeParse(found);
  if (hours.success) return hours.data * hourSeconds;
  throw new Error(
    `LAST_LOCATION_HOURS must be a number of hours, 0 to ${maxLastLocationHours}; got ${JSON.stringify(found)}`,
  );
}
