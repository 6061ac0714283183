import * as z from "zod";
import {
  type AnswerFilter,
  answerFilter,
  answerLocation,
  productFilter,
  type Searched,
  searched,
} from "./location.ts";
import { nullIsAbsent } from "./null-is-absent.ts";
import { boundedRecord, identifier, plainId, point } from "./primitives.ts";
import { type ShownProduct, shownProduct } from "./product.ts";
import {
  boost,
  caps,
  explore,
  grouping,
  hide,
  maxBoosts,
  maxGroupings,
  maxPins,
  objective,
  pin,
} from "./rules.ts";
import { scenarioName } from "./scenario-name.ts";
import { type InputWarning, inputWarning } from "./warning.ts";

/**
 * What happens to a product that the user purchased, for a configured number of days:
 * - `hide` leaves it out;
 * - `fade` lowers its score, which recovers day by day;
 * - `keep` changes nothing;
 * - `auto` keeps what people buy again, by the user's own purchases and those of all users in the category, and fades
 *   the rest.
 */
export const purchasedRule = z.enum(["auto", "hide", "fade", "keep"]);
export type PurchasedRule = z.infer<typeof purchasedRule>;

/**
 * What happens to a product that lists showed to the user again and again without a choice:
 * - `fade` lowers its score, which recovers with time. What the user chooses regularly does not fade;
 * - `keep` changes nothing, and what this list shows does not count.
 */
export const shownRule = z.enum(["fade", "keep"]);
export type ShownRule = z.infer<typeof shownRule>;

/**
 * What happens if the user's choices of the last hour are mostly of a category that they seldom choose:
 * - `follow` gives this category up to three of the first ten positions;
 * - `ignore` changes nothing.
 */
export const intentRule = z.enum(["follow", "ignore"]);
export type IntentRule = z.infer<typeof intentRule>;

/** What a user looks at now. */
export const recommendationContext = nullIsAbsent(
  z.strictObject({ productIds: z.array(identifier).min(1).max(20) }),
).meta({
  description:
    "Products that the user looks at, or has in the cart, the last one last. They count as the user's newest choices, and are no recommendations themselves.",
});

/** Longest cursor of a list, in characters: it holds the ids of 500 products. */
export const maxCursorLength = 180_000;

export const recommendationFields = z.strictObject({
  userId: identifier,
  location: point.optional(),
  scenario: scenarioName.optional().meta({
    description:
      "Name of a scenario, whose fields hold where the request has none. `filter`, `boost` and `caps` are merged field by field, and `exclude` is joined.",
  }),
  context: recommendationContext.optional(),
  limit: z
    .number()
    .int()
    .min(1)
    .max(100)
    .optional()
    .meta({ description: "Products to return, at most; 10 if absent." }),
  cursor: z.string().min(1).max(maxCursorLength).optional().meta({
    description:
      "The `next` of the page before, for 30 minutes from the first page. The other fields are those of the first page; only `limit`, `location`, `explain` and `budgetMs` may differ.",
  }),
  candidates: z.number().int().min(20).max(500).optional().meta({
    description: "Candidates that the model ranks, at most: 500 if absent, and never fewer than `limit`.",
  }),
  filter: productFilter.optional(),
  /** Factors by category, 0 to 10, that multiply the scores. */
  boost: boundedRecord(128, z.number().min(0).max(10)).optional(),
  boosts: z.array(boost).max(maxBoosts).optional().meta({
    description:
      "Change the scores of the products that meet conditions: the factors of all that apply multiply the score, then what they add is added.",
  }),
  pins: z.array(pin).max(maxPins).optional().meta({
    description:
      "Products at fixed positions, as long as they are available and nothing else leaves them out: a named one, or the best candidate that meets a condition. They count in `caps`.",
  }),
  diversity: z.number().min(0).max(1).optional().meta({
    description:
      "Maximal marginal relevance: 0 (if absent) orders by score alone, 1 makes the products as different as possible.",
  }),
  caps: caps.optional().meta({
    description:
      "How many products of one group the list has at most. Products without a value are not limited.",
  }),
  collapse: z.array(grouping).max(maxGroupings).optional().meta({
    description:
      'The list shows the best product of each group only: of `group`, `category`, `brand`, or `attributes.NAME`. The default is `["group"]`: one of the variants of a product. An empty array shows all variants that the search finds: four of a group at most.',
  }),
  hide: hide.optional().meta({
    description: "Products of the user's history that the list leaves out.",
  }),
  explore: explore.optional().meta({
    description:
      "How often the list tries out lower products, in place of the deployment's setting. Propensities in receipts and in the training log are those of this request.",
  }),
  objective: objective.optional().meta({
    description:
      "Orders the list by what it is expected to be worth: calibrated probabilities of outcomes, times their worth. `score` is in the same unit.",
  }),
  exclude: z.array(identifier).max(500).optional(),
  /** What happens to products that the user purchased; the deployment's setting if absent. */
  purchased: purchasedRule.optional(),
  shown: shownRule.optional().meta({
    description:
      "What happens to products that lists showed the user again and again without a choice: `fade` lowers their scores for some weeks. `keep` does not, and what this list shows does not count either. The deployment's setting if absent.",
  }),
  intent: intentRule.optional().meta({
    description:
      "Whether a category that the user chooses now, and seldom else, gets up to three of the first ten positions: `follow` or `ignore`. The deployment's setting if absent.",
  }),
  only: z.enum(["chosen", "purchased"]).optional().meta({
    description:
      "Recommends only products that the user chose before (viewed, clicked, carted or purchased), or only those that they purchased: the 256 that they most likely choose again.",
  }),
  rankBy: z.enum(["model", "popularity", "recency"]).optional().meta({
    description:
      "What scores the products: the model (if absent), the popularity among all users, or how lately the user chose them.",
  }),
  explain: z.boolean().default(false),
  /** Time budget in milliseconds. The pipeline skips stages that no longer fit and names them in `stages`. */
  budgetMs: z.number().int().min(1).max(10_000).optional().meta({
    description:
      "Time budget in milliseconds: waits by the clock, and computing by estimates from counts. Stages that no longer fit are left out, and `stages` names them.",
  }),
});
/** Body of `POST /v1/recommendations`. Null means absent. */
export const recommendationInput = nullIsAbsent(recommendationFields);
export type RecommendationInput = z.infer<typeof recommendationInput>;

/** A request with the fields of its scenario, and with defaults. */
export type CompleteRecommendationInput = RecommendationInput &
  Required<Pick<RecommendationInput, "limit" | "candidates" | "diversity">>;

/** Returns a request with defaults for the fields that neither it nor its scenario has. */
export const completeInput = (input: RecommendationInput): CompleteRecommendationInput => ({
  ...input,
  limit: input.limit ?? 10,
  candidates: input.candidates ?? 500,
  diversity: input.diversity ?? 0,
});

/** A stage of the recommendation pipeline. */
export const stage = z.object({
  name: z.string(),
  ms: z.number().meta({
    description:
      "Milliseconds on the clock of the Worker. On Cloudflare this clock stands still while a Worker computes, so a stage of the kind `computing` has 0 there; its time is part of the next stage that waits.",
  }),
  kind: z.enum(["waiting", "computing"]).optional().meta({
    description:
      "`waiting` for other services or storage, and `computing` without a wait. Absent in receipts of version 0.2.",
  }),
  candidates: z.number().int().optional().meta({
    description:
      "How many candidates a stage of the kind `computing` worked on; budgets count them instead of time.",
  }),
  /** Why the stage was skipped or replaced; absent if it ran. */
  skipped: z.string().optional(),
});
export type Stage = z.infer<typeof stage>;

/** What brings candidates: the surroundings, products that the user chose before, and what is often chosen next. */
export const candidateSourceName = z.enum(["near", "chosen", "next"]);
export type CandidateSourceName = z.infer<typeof candidateSourceName>;

/** A rule that changed the score or the position of a product. */
export const touchedRule = z.object({
  rule: z.string(),
  index: z.number().int().optional().meta({
    description: "Which of the rules of this name it is, from 0; absent if there is only one.",
  }),
  /** Factor on the score; absent if the rule changed the score or the position otherwise. */
  factor: z.number().optional(),
  add: z.number().optional().meta({ description: "What the rule adds to the score." }),
});
export type TouchedRule = z.infer<typeof touchedRule>;

/** Why a product is at its place. */
export const explanation = z.object({
  text: z.string().meta({
    description:
      "A sentence in the language of the answer, which `content-language` names: English, German, Spanish or French, by `accept-language`.",
  }),
  sources: z.array(candidateSourceName).meta({
    description:
      "The candidate sources that found the product: `near` the user, `chosen` before, often chosen `next`. Without the right to read the user's history, only `near`.",
  }),
  rules: z.array(touchedRule).meta({
    description:
      "Rules that changed the score or the position: `boost`, `boosts` with their index, `objective`, `pin`, `exploration`, `distance` for long ways, `purchased` and `dismissed` for what the user did. Rules that tell of the user's place or history need the right to know these.",
  }),
  averageScore: z.number().meta({
    description: "What the model scores a product that has the average features of all candidates.",
  }),
  contributions: z.array(z.object({ group: z.string(), value: z.number() })).meta({
    description:
      "What each group of features contributes to the score, the largest first. The values add up to `score` less `averageScore`. `rules` is what the rules changed. `withheld` is the sum of the groups that tell of the user's place or history, for a credential that may not know these.",
  }),
  probabilities: z.object({ click: z.number(), purchase: z.number() }).meta({
    description:
      "Calibrated probabilities that the user follows the recommendation (views, clicks, carts or purchases the product) and that they purchase it, if it is at the first position. Rules do not change them.",
  }),
});
export type Explanation = z.infer<typeof explanation>;

/** A recommended product. `rank` counts from 1, over all pages of a list. */
export const recommendedItem = z.object({
  productId: identifier,
  rank: z.number().int(),
  score: z.number().meta({
    description:
      "What the list is ordered by, before caps, diversity and exploration: the model's probability of any interaction plus twice that of a purchase, or what `objective` says, times the factors of rules. It is comparable within an answer, not between answers of different models.",
  }),
  /**
   * Great-circle distance from the user in km, rounded to what the precision of their place allows: 0.01 km at `exact`, 1
   * km at `approximate`, 10 km at `city` and for the edge's estimate. Null if the product has no location, if the user's
   * is unknown, or if the credential may not know it.
   */
  distanceKm: z.number().nullable(),
  product: shownProduct,
  reasons: z.array(z.string()).optional(),
  /** Present if the request asks for it with `explain`. */
  explanation: explanation.optional(),
});

/** Answer of `POST /v1/recommendations`. Only the keys of this deployment lead from `recommendationId` to the user. */
export const recommendationAnswer = z.object({
  recommendationId: plainId,
  model: z.object({ version: z.string(), sha256: z.string() }),
  variant: z.string(),
  location: answerLocation,
  /** Present if the filter has a price or a currency. */
  filter: answerFilter.optional(),
  items: z.array(recommendedItem),
  next: z.string().nullable().meta({
    description:
      "Sent as `cursor` with the same request, it gives the products after these. Null at the end of the list, and after 500 products.",
  }),
  stages: z.array(stage),
  /** Number of candidates that the model ranked. */
  candidates: z.number().int().optional(),
  /** What was not used as it was sent, for example a `location` of (0, 0). */
  warnings: z.array(inputWarning).optional(),
  searched,
});
export type RecommendationAnswer = z.infer<typeof recommendationAnswer>;

/** What a list of products that does not depend on a user contains. */
export const productListQuery = z.object({
  limit: z.number().int().min(1).max(100),
  filter: productFilter,
  /** Products to leave out. */
  exclude: z.array(identifier).max(500),
});
export type ProductListQuery = z.infer<typeof productListQuery>;

/** A list of products that does not depend on a user. */
export interface RecommendationList {
  items: { productId: string; rank: number; score: number; product: ShownProduct }[];
  searched: Searched;
  /** Present if the filter has a price or a currency. */
  filter?: AnswerFilter;
  /** What is wrong with the location that the query states, for example (0, 0). */
  warnings?: InputWarning[];
}
