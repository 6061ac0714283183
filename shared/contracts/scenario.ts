import * as z from "zod";
import { nullIsAbsent } from "./null-is-absent.ts";
import { recommendationFields } from "./recommendation.ts";
import { scenarioName } from "./scenario-name.ts";

/** Scenarios that an application stores, at most, and versions that are kept of each. */
export const maxScenarios = 100;
export const maxScenarioVersions = 50;
/** Longest settings of a scenario, in UTF-16 code units of their JSON. */
export const maxScenarioLength = 8192;

/** Body of `PUT /v1/scenarios/{name}`: fields of recommendation requests. Null means absent. */
export const scenarioSettings = nullIsAbsent(
  recommendationFields.omit({
    ...{ userId: true, location: true, scenario: true, context: true },
    ...{ explain: true, budgetMs: true, cursor: true },
  }),
).refine((settings) => JSON.stringify(settings).length <= maxScenarioLength, {
  message: `must be at most ${maxScenarioLength} characters of JSON`,
});
export type ScenarioSettings = z.infer<typeof scenarioSettings>;

/** A scenario: fields of recommendation requests under a name. */
export const scenario = z.object({
  name: scenarioName,
  /** Grows by one with each change. Null for a ready-made scenario. */
  version: z.number().int().nullable(),
  createdAt: z.string().nullable(),
  settings: scenarioSettings,
});
export type Scenario = z.infer<typeof scenario>;

/** A scenario with the versions that are kept. */
export const scenarioDetails = scenario.extend({
  versions: z
    .array(z.object({ version: z.number().int(), createdAt: z.string(), settings: scenarioSettings }))
    .meta({ description: "The versions that are kept, newest first, with the one that serves." }),
});
export type ScenarioDetails = z.infer<typeof scenarioDetails>;
