import { userSession } from "../../../durable-objects/user-session.ts";
import { BatchPool } from "../../../model/features/batch-pool.ts";
import { featureShape } from "../../../model/features/compute.ts";
import {
  maxCandidates,
  type PipelineAnswer,
  recommend as runPipeline,
} from "../../../model/pipeline/recommend.ts";
import { decodeProfile } from "../../../model/profile/codec.ts";
import { emptyProfile, type UserProfile } from "../../../model/profile/profile.ts";
import type { AnswerLocation, EdgeLocation } from "../../../shared/contracts/location.ts";
import type { ProductCard } from "../../../shared/contracts/product.ts";
import type {
  RecommendationAnswer,
  RecommendationInput,
  RecommendationReceipt,
  Stage,
} from "../../../shared/contracts/recommendation.ts";
import { ok, type Result, refuse, unwrap } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { localOffset } from "../../../shared/geo/local-time.ts";
import { followPointer, type Serving, servingOf } from "../models/serving-model.ts";
import { advance } from "../rollout/advance.ts";
import { scoreShadow } from "../rollout/shadow.ts";
import { settingsOf } from "../settings.ts";
import { cardOfRow } from "./card-of-row.ts";
import { cardsOf } from "./cards.ts";
import { impressionOf } from "./impression.ts";
import { locationCandidateService } from "./location-candidates.ts";
import { newRecommendationId } from "./recommendation-id.ts";
import { resolveLocation, type UserLocation } from "./resolve-location.ts";

const batches = new BatchPool(featureShape, maxCandidates);

const round = (ms: number): number => Math.round(ms * 1000) / 1000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * The person; within a budget, somebody new where their object does not answer in time. What precision a person who cannot
 * be reached allows is not known: only their city is used.
 */
async function personOf(
  state: Promise<Uint8Array>,
  budgetMs: number,
): Promise<{ profile: UserProfile; skipped?: string }> {
  const unreached = (): UserProfile => ({ ...emptyProfile(), precision: "city" });
  try {
    const first = await (budgetMs < Number.POSITIVE_INFINITY
      ? Promise.race([state, sleep(budgetMs / 2).then((): "late" => "late")])
      : state);
    if (first === "late") {
      state.catch(() => null);
      return { profile: unreached(), skipped: "budget: what is known of the person" };
    }
    return { profile: first.byteLength > 0 ? decodeProfile(first) : emptyProfile() };
  } catch (error) {
    console.error({ event: "person not reached", error: errorText(error) });
    return { profile: unreached(), skipped: "the person: failed" };
  }
}

/**
 * One recommendation: person and tiles together, then what the person leads to, then the model, then the cards. What fails
 * or no longer fits into the budget is left out in the order that RELIABILITY.md declares, and named in `stages`; only
 * where no product can be found at all is it `unavailable`.
 */
export async function recommend(
  env: RecommendationEnv,
  application: string,
  input: RecommendationInput,
  edge: EdgeLocation,
  later: (work: Promise<unknown>) => void,
): Promise<Result<RecommendationAnswer>> {
  const started = performance.now();
  const budgetMs = input.budgetMs ?? Number.POSITIVE_INFINITY;
  const now = Date.now() / 1000;
  const filter = input.filter ?? {};
  const session = userSession(env.USER_SESSION, application, input.userId, input.location ?? edge.point);
  const places = locationCandidateService(env.LOCATION, application);
  const serving = servingOf(env, application, input.userId, later);
  const { profile, skipped } = await personOf(session.state(), budgetMs);
  const personMs = performance.now() - started;
  const where = await resolveLocation(env.LOCATION, profile, input.location, edge);
  const { point } = where;
  const whereMs = performance.now() - started - personMs;
  const { rankers, variant, shadow: beside, skipped: withoutModel } = await serving;
  const modelMs = performance.now() - started - personMs - whereMs;

  const answer = await runPipeline(
    {
      profile: profile,
      point,
      now,
      offsetSeconds: localOffset(point?.lat ?? null, point?.lon ?? null, now),
      filter,
      rules: {
        limit: input.limit,
        exclude: input.exclude,
        boost: input.boost,
        diversity: input.diversity,
        perCategory: input.caps?.perCategory,
      },
      maxCandidates: input.candidates,
      explain: input.explain,
      budgetMs: budgetMs - (performance.now() - started),
      exploration: settingsOf(env).exploration,
    },
    { places, rankers, clock: () => performance.now(), random: Math.random, batches },
  ).catch((error: unknown) => {
    console.error({ event: "places not reached", error: errorText(error) });
    return null;
  });
  if (!answer) return refuse("unavailable", "No products can be found now.", { retryAfter: 1 });
  const { location, nameless } = placeOf(profile, where, answer.place);
  const before = performance.now();
  const { cards, skipped: withoutCards } = await shownCards(env, application, answer);
  const stage = (name: string, ms: number, why: string | undefined): Stage => ({
    name,
    ms: round(ms),
    ...(why ? { skipped: why } : {}),
  });
  const stages: Stage[] = [
    stage("person", personMs, skipped),
    stage("place", whereMs, where.skipped ?? nameless),
    ...(withoutModel ? [stage("model", modelMs, withoutModel)] : []),
    ...answer.stages,
    stage("cards", performance.now() - before, withoutCards),
  ];
  const shown = answer.items.filter(
    ({ productId }) => cards.get(productId)?.available !== false && cards.has(productId),
  );
  const recommendationId = newRecommendationId(session.id.toString());
  const model = { version: answer.ranker.version, sha256: answer.ranker.sha256 };
  const receipt: RecommendationReceipt = {
    recommendationId,
    time: new Date(now * 1000).toISOString(),
    model,
    variant,
    location,
    candidates: answer.candidates.length,
    items: shown.map(({ productId, score, propensity }, i) => ({
      productId,
      position: i + 1,
      score,
      propensity,
    })),
    stages,
  };
  later(
    session
      .impression(application, input.userId, impressionOf({ ...answer, items: shown }, receipt, Math.random))
      .catch((error: unknown) => console.error({ event: "impression not kept", error: errorText(error) })),
  );
  // The impression has copied what it keeps: after the newcomer, nobody reads the features any more.
  if (beside) later(besides(env, application, beside, answer).finally(() => batches.give(answer.features)));
  else batches.give(answer.features);
  return ok({
    recommendationId,
    model,
    variant,
    location,
    candidates: answer.candidates.length,
    items: shown.map(({ productId, score, distanceKm, reasons }, i) => {
      const { cell: _cell, version: _version, ...product } = cards.get(productId) as ProductCard;
      return {
        productId,
        rank: i + 1,
        score,
        distanceKm,
        product,
        ...(input.explain ? { reasons } : {}),
      };
    }),
    stages,
  });
}

/** The place as the answer says it, and why it lacks its names. */
function placeOf(
  { precision }: UserProfile,
  { source }: UserLocation,
  place: PipelineAnswer["place"],
): { location: AnswerLocation; nameless?: string } {
  const named = place && !("skipped" in place) ? place : { city: null, country: null };
  return {
    location: { city: named.city, country: named.country, precision, source },
    ...(place && "skipped" in place ? { nameless: place.skipped } : {}),
  };
}

/** After the answer: the newcomer scores it too; what that shows may bring it further. */
async function besides(
  env: RecommendationEnv,
  application: string,
  { version, ranker }: NonNullable<Serving["shadow"]>,
  answer: PipelineAnswer,
): Promise<void> {
  try {
    if (!(await scoreShadow(env.DB, application, version, ranker, answer))) return;
    if (await advance(env.DB, settingsOf(env), application, Date.now() / 1000))
      await followPointer(env, application);
  } catch (error) {
    console.error({ event: "shadow not noted", error: errorText(error) });
  }
}

/** What is shown of the chosen products. Where the catalogue cannot be reached, the tiles stand in: without pictures. */
async function shownCards(
  env: RecommendationEnv,
  application: string,
  answer: PipelineAnswer,
): Promise<{ cards: Map<string, ProductCard>; skipped?: string }> {
  try {
    const cards = unwrap(await cardsOf(env.PRODUCT, application, answer.items), "the product service");
    return { cards: cards };
  } catch (error) {
    console.error({ event: "cards not reached", error: errorText(error) });
    const rows = answer.items.map(({ index }) => answer.candidates[index]);
    const cards = rows.map(({ block, row }) => cardOfRow(block, row));
    return {
      cards: new Map(cards.map((card) => [card.id, card])),
      skipped: "the catalogue: failed, tiles stand in for cards",
    };
  }
}
