import { userSessionStub } from "../../../durable-objects/user-session/user-session-stub.ts";
import { listDiversity } from "../../../model/experiments/list-diversity.ts";
import { expressionUserOf } from "../../../model/expressions/expression-user.ts";
import { BatchPool } from "../../../model/features/batch-pool.ts";
import { featureShape } from "../../../model/features/compute-features.ts";
import { sourcesOf } from "../../../model/pipeline/fetch-candidates.ts";
import { InputRecorder } from "../../../model/pipeline/recorded-inputs.ts";
import { listingOf } from "../../../model/pipeline/replay-list.ts";
import { maxCandidates, type PipelineQuery, runPipeline } from "../../../model/pipeline/run-pipeline.ts";
import type { ReadonlyProfile } from "../../../model/profile/profile.ts";
import { profileInContext } from "../../../model/profile/profile-in-context.ts";
import { answerFilterOf } from "../../../model/retrieval/decide-filter.ts";
import { compileProductTest } from "../../../model/retrieval/filter.ts";
import { defaultConsentOf } from "../../../shared/consent/default-consent.ts";
import type { EdgeLocation } from "../../../shared/contracts/location.ts";
import type { ReceiptRecord } from "../../../shared/contracts/receipt.ts";
import {
  completeInput,
  type RecommendationAnswer,
  type RecommendationInput,
  type Stage,
} from "../../../shared/contracts/recommendation.ts";
import type { Requester } from "../../../shared/contracts/requester.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { variantOfAll } from "../../../shared/experiments/variant.ts";
import { utcOffsetAt } from "../../../shared/geo/local-time.ts";
import { defaultLanguage, type Language } from "../../../shared/language/languages.ts";
import { pseudonymKeysOf } from "../../../shared/pseudonyms/pseudonym-keys.ts";
import { sealObjectId } from "../../../shared/pseudonyms/sealed-object-id.ts";
import { variantsOfRequest } from "../experiments/active-experiments.ts";
import { rankersFor, variantOfAnswer } from "../models/serving-rankers.ts";
import { scoreWithShadowModel } from "../rollout/score-with-shadow-model.ts";
import { resolveScenario } from "../scenarios/resolve-scenario.ts";
import {
  historyRulesOf,
  impressionDelayOf,
  lastLocationSecondsOf,
  recordsInputs,
  rolloutSettingsOf,
} from "../settings.ts";
import { answerLocationOf } from "./answer-location.ts";
import { contextProducts } from "./context-products.ts";
import { continuedList, hasMore, nextCursor, randomOf } from "./continue-list.ts";
import { decideListExpressions } from "./decide-list-filter.ts";
import { explainItems } from "./explain-items.ts";
import { exploredList } from "./explored-list.ts";
import { impressionOf } from "./impression.ts";
import { countSources, inputOfReceipt } from "./input-of-receipt.ts";
import { knownProfiles } from "./known-profiles.ts";
import { loadProfile } from "./load-profile.ts";
import { locationCandidateService } from "./location-candidates.ts";
import {
  isPlacePrivate,
  mayKnow,
  profileFor,
  shownDistance,
  shownReasons,
  withoutNames,
} from "./place-rights.ts";
import { rankersBy } from "./rankers-by.ts";
import { compressInputs } from "./record-inputs.ts";
import { attributesOfRequest, ruleConditions } from "./request-expressions.ts";
import { explorationOf, pinnedProducts, rulesOf } from "./request-rules.ts";
import { resolveLocation, usableLocation } from "./resolve-location.ts";
import { storeImpression } from "./send-impressions.ts";
import { shownProductOf } from "./shown-product.ts";

const batchPool = new BatchPool(featureShape, maxCandidates);

const round = (ms: number): number => Math.round(ms * 1000) / 1000;

/** A recommendation request, and who sends it. */
export interface RecommendationRequest {
  input: RecommendationInput;
  /** Where the request comes from, as the edge network estimates it. */
  edge: EdgeLocation;
  requester: Requester;
  /** Language of the explanations; English if absent. */
  language?: Language;
}

/**
 * Answers one recommendation request: loads the profile, resolves the location, runs the pipeline, loads the product
 * cards. A stage that fails or exceeds the budget is skipped, in the order that RELIABILITY.md lists, and `stages`
 * names it. Refuses with `unavailable` only if no products can be found, and a wrong expression with `invalid_input`.
 * `waitUntil` runs work after the answer.
 */
export async function recommendProducts(
  env: RecommendationEnv,
  application: string,
  { input: asked, edge, requester, language = defaultLanguage }: RecommendationRequest,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<Result<RecommendationAnswer>> {
  const started = performance.now();
  const now = Date.now() / 1000;
  const withoutExperiments = rankersFor(env, application, asked.userId, waitUntil);
  const experimenting = variantsOfRequest(env, application, asked, withoutExperiments, now, waitUntil);
  const instead = asked.scenario === undefined ? null : (await experimenting).scenario;
  const resolvedInput = await resolveScenario(env, application, asked, instead, waitUntil);
  if (!resolvedInput.ok) return resolvedInput;
  const requested = resolvedInput.value;
  const usesHistory = requested.only !== undefined || requested.rankBy === "recency";
  if (usesHistory && !requester.mayReadHistory)
    return refuse(
      "forbidden",
      "A list by `only` or by `rankBy: recency` shows the user's history: send a token of the user, or a key with `people:read`.",
    );
  const budgetMs = requested.budgetMs ?? Number.POSITIVE_INFINITY;
  const assigned = await experimenting;
  const input = completeInput({ ...requested, ...assigned.parameters });
  const attributes = await attributesOfRequest(env.PRODUCT, application, input, waitUntil);
  if (!attributes.ok) return attributes;
  const hint = usableLocation(requested.location) ?? edge.point;
  const session = userSessionStub(env.USER_SESSION, application, requested.userId, hint);
  const candidateService = locationCandidateService(env.LOCATION, application);
  const contextIds = requested.context?.productIds ?? [];
  const looking = contextProducts(env.PRODUCT, application, contextIds);
  const pinning = pinnedProducts(env.PRODUCT, application, input, now);
  const continuing = continuedList(env, application, asked, session.id.toString(), now);
  const reading = knownProfiles.read(session, application, requester, defaultConsentOf(env));
  const loaded = await loadProfile(reading, budgetMs);
  if (!loaded.ok) return loaded;
  const { skipped } = loaded.value;
  const continued = await continuing;
  if (!continued.ok) return continued;
  const { value: list } = continued;
  const offset = list.shown.length;
  const stored = profileFor(requester, loaded.value.profile);
  const profileMs = performance.now() - started;
  const query = { stated: requested.location, edge, now, lastLocationSeconds: lastLocationSecondsOf(env) };
  const resolved = await resolveLocation(env.LOCATION, stored, query, requester);
  const { point } = resolved;
  const offsetSeconds = utcOffsetAt(point?.lat ?? null, point?.lon ?? null, now);
  const { products: context, skipped: contextSkipped } = await looking;
  const profile = profileInContext(stored, context, now, offsetSeconds);
  const exclude = [...(requested.exclude ?? []), ...contextIds, ...list.shown];
  const user = requester.mayReadHistory ? expressionUserOf(stored) : null;
  const decided = await decideListExpressions(
    env.LOCATION,
    application,
    input.filter ?? {},
    ruleConditions(input),
    { ...{ now, point, user, attributes: attributes.value } },
  );
  if (!decided)
    return refuse(
      "unavailable",
      "The currency of the filter cannot be decided now; retry the request, or name `filter.currency`.",
      { retryAfter: 1 },
    );
  const { filter, ruleScope } = decided;
  const { named, skipped: pinsSkipped } = await pinning;
  const locationMs = performance.now() - started - profileMs;
  const servingRankers = assigned.rankers ?? (await withoutExperiments);
  const modelSkipped = servingRankers.skipped ?? assigned.skipped;
  const rankers = rankersBy(input.rankBy, servingRankers.rankers);
  const ranksByModel = rankers === servingRankers.rankers;
  const shadow = ranksByModel ? servingRankers.shadow : null;
  const variants = assigned.variants
    .filter(({ needsModel }) => ranksByModel || !needsModel)
    .map(({ name }) => name);
  const modelMs = performance.now() - started - profileMs - locationMs;

  const exploration = explorationOf(rolloutSettingsOf(env).exploration, input.explore, offset);
  const pipelineQuery: PipelineQuery = {
    profile,
    point,
    now,
    offsetSeconds,
    filter,
    exclude,
    ...(input.only ? { only: historyOf(stored, input.only) } : {}),
    rules: rulesOf(input, offset),
    ...(ruleScope ? { ruleScope } : {}),
    ...(offset === 0 ? {} : { shown: list.rows }),
    named,
    historyRules: historyRulesOf(env, input),
    // Everybody can be a stranger, and compare lists from before and after another user's purchase.
    hidesSmallCounts: !requester.isVouched,
    maxCandidates: input.candidates,
    explain: input.explain,
    budgetMs: budgetMs - (performance.now() - started),
    exploration,
  };
  const { seed } = list.continued ?? {};
  const recorder = new InputRecorder(
    { ...{ candidateService, rankers, clock: () => performance.now(), batches: batchPool } },
    seed === undefined ? Math.random : randomOf(seed),
  );
  const answer = await runPipeline(pipelineQuery, recorder.ports).catch((error: unknown) => {
    console.error({ event: "recommendation pipeline failed", error: errorText(error) });
    return null;
  });
  if (!answer)
    return refuse("unavailable", "No products can be recommended now; retry the request.", { retryAfter: 1 });
  const { location, namesSkipped } = answerLocationOf(resolved, answer.place);
  const cardsStarted = performance.now();
  const test = compileProductTest({ point, filter, now, exclude }).row;
  const {
    inPlay,
    rankTemperature,
    skipped: cardsSkipped,
  } = await exploredList(
    env.PRODUCT,
    application,
    answer,
    { limit: input.limit, test, exploration, showsVariants: input.collapse?.includes("group") === false },
    recorder.draw,
  );
  const listed = inPlay.filter(({ position }) => position > 0);
  const listing = listingOf(
    answer,
    inPlay.map(({ item }) => item.ranked),
    input.limit,
  );
  const distances = listed.map(({ item }) => shownDistance(item.ranked.distanceKm, requester, resolved));
  const cardsMs = performance.now() - cardsStarted;
  answer.budget.waited();
  const explained = input.explain
    ? await explainItems(
        answer,
        listed.map(({ item: { ranked, card }, rank }, i) => ({
          ...{ ranked, title: card.title, distanceKm: distances[i], isExplored: rank > input.limit },
        })),
        { requester, source: resolved.source, language },
      )
    : null;
  const stageOf = (
    name: string,
    ms: number,
    reason: string | undefined,
    kind: Stage["kind"] = "waiting",
  ): Stage => ({ name, ms: round(ms), kind, ...(reason ? { skipped: reason } : {}) });
  const stages: Stage[] = [
    stageOf("person", profileMs, skipped),
    stageOf("place", locationMs, resolved.skipped ?? namesSkipped ?? contextSkipped ?? pinsSkipped),
    ...(modelSkipped ? [stageOf("model", modelMs, modelSkipped)] : []),
    ...answer.stages,
    stageOf("cards", cardsMs, cardsSkipped),
    ...(explained
      ? [stageOf("explain", performance.now() - cardsStarted - cardsMs, explained.skipped, "computing")]
      : []),
  ];
  const recommendationId = await sealObjectId(
    await pseudonymKeysOf(env),
    { application, kind: "recommendation" },
    session.id.toString(),
  );
  const model = { version: answer.ranker.version, sha256: answer.ranker.sha256 };
  const variant = variantOfAll([variantOfAnswer(servingRankers, answer.ranker), ...variants]);
  const receipt: ReceiptRecord = {
    recommendationId,
    time: new Date(now * 1000).toISOString(),
    model,
    variant,
    ...(list.continued ? { continues: list.continued.first } : {}),
    location,
    isPlacePrivate: isPlacePrivate(point, resolved.source, requester),
    candidates: answer.candidates.length,
    items: listed.map(({ item: { ranked }, position, propensity }) => ({
      productId: ranked.productId,
      position: offset + position,
      score: ranked.score,
      propensity,
      sources: sourcesOf(answer.candidates[ranked.index], answer.blockBySource),
    })),
    stages,
    input: inputOfReceipt(input, pipelineQuery),
    sources: countSources(answer),
    ...(variants.length === 0
      ? {}
      : {
          measures: {
            diversity: listDiversity(listed.map(({ item: { card } }) => card.category)),
            latencyMs: performance.now() - started,
          },
        }),
  };
  // What is near a place tells the place, so the list for a user who allows no location is not stored.
  if (resolved.precision !== "none" || point === null) {
    const rankedInPlay = inPlay.map((each) => ({ ...each, item: each.item.ranked }));
    const inputs = recordsInputs(env, input.explain) ? recorder.inputsOf(pipelineQuery, listing) : null;
    // Compressed before the answer: who reads the receipt right after it also finds the inputs.
    const compressed = inputs ? await compressInputs(inputs) : undefined;
    waitUntil(
      storeImpression(
        session,
        {
          ...{ application, userId: input.userId, requester },
          impression: impressionOf(
            answer,
            { inPlay: rankedInPlay, rankTemperature },
            receipt,
            Math.random,
            offset,
            compressed,
          ),
        },
        impressionDelayOf(env),
      ),
    );
  }
  const next = await nextCursor(env, application, list, {
    recommendationId,
    productIds: listed.map(({ item }) => item.ranked.productId),
    hasMore: hasMore(answer, listing, listed.length, input),
  });
  // The impression holds its own copy of the features. The shadow model is the last reader of the batch.
  if (shadow)
    waitUntil(
      scoreWithShadowModel(env, application, shadow, answer).finally(() =>
        batchPool.release(answer.features),
      ),
    );
  else batchPool.release(answer.features);
  return ok({
    recommendationId,
    model,
    variant,
    location: mayKnow(requester, resolved.source) ? location : withoutNames(location),
    ...answerFilterOf(filter, ruleScope),
    candidates: answer.candidates.length,
    items: listed.map(({ item: { ranked, card }, position }, i) => {
      const { productId, score, reasons } = ranked;
      return {
        productId,
        rank: offset + position,
        score,
        distanceKm: distances[i],
        product: shownProductOf(card, now),
        ...(input.explain ? { reasons: shownReasons(reasons, requester, resolved.source) } : {}),
        ...(explained?.explanations ? { explanation: explained.explanations[i] } : {}),
      };
    }),
    next,
    searched: answer.searched ?? { radiusKm: null, complete: false },
    stages,
    ...(resolved.warnings.length > 0 ? { warnings: resolved.warnings } : {}),
  });
}

/** Returns the ids of the products that the user chose, or purchased, before. */
const historyOf = ({ products, purchased }: ReadonlyProfile, only: "chosen" | "purchased"): string[] => [
  ...(only === "chosen" ? products.keys() : purchased.keys()),
];
