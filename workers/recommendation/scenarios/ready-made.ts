import type { ScenarioSettings } from "../../../shared/contracts/scenario.ts";

/** The scenarios of every application, by name. A stored scenario of the same name takes precedence. */
export const readyMadeScenarios: ReadonlyMap<string, ScenarioSettings> = new Map(
  Object.entries({
    home: { diversity: 0.2 },
    nearby: { filter: { radiusKm: 10 } },
    "product-page": { purchased: "keep" },
    cart: { purchased: "hide", limit: 5 },
    trending: { rankBy: "popularity", shown: "keep", intent: "ignore" },
    "recently-viewed": {
      ...{ only: "chosen", rankBy: "recency" },
      ...{ purchased: "keep", shown: "keep", intent: "ignore" },
    },
    reorder: { only: "purchased", purchased: "keep", shown: "keep", intent: "ignore" },
    email: { limit: 6, diversity: 0.3, purchased: "hide", caps: { perCategory: 2 } },
  } satisfies Record<string, ScenarioSettings>),
);

/** Returns the scenarios that need to know what the user looks at. */
export const needsContext: ReadonlySet<string> = new Set(["product-page", "cart"]);
