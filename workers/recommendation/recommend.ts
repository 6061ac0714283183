import { sessionOf } from "../../durable-objects/user-session.ts";
import { decodePerson } from "../../model/person/codec.ts";
import { newPerson, type Person } from "../../model/person/person.ts";
import {
  maxCandidates,
  type PipelineAnswer,
  recommend as runPipeline,
} from "../../model/pipeline/recommend.ts";
import type { EdgePlace } from "../shared/contracts/location.ts";
import type { ProductCard } from "../shared/contracts/product.ts";
import type {
  RecommendationAnswer,
  RecommendationInput,
  RecommendationReceipt,
  Stage,
} from "../shared/contracts/recommendation.ts";
import { localOffset } from "../shared/geo/local-time.ts";
import { impressionOf } from "./impression.ts";
import { placesOf } from "./places.ts";
import { newRecommendationId } from "./recommendation-id.ts";
import { rankersOf } from "./serving.ts";
import { whereabouts } from "./whereabouts.ts";

/** Variant of answers outside any experiment. */
const defaultVariant = "default";

const round = (ms: number): number => Math.round(ms * 1000) / 1000;

/** The person; within a budget, somebody new where their object does not answer in time. */
async function personOf(
  state: Promise<Uint8Array>,
  budgetMs: number,
): Promise<{ person: Person; skipped?: string }> {
  const late = new Promise<"late">((resolve) => {
    if (budgetMs < Number.POSITIVE_INFINITY) setTimeout(() => resolve("late"), budgetMs / 2);
  });
  try {
    const first = await Promise.race([state, late]);
    if (first === "late") return { person: newPerson(), skipped: "budget" };
    return { person: first.byteLength > 0 ? decodePerson(first) : newPerson() };
  } catch (error) {
    console.error({ event: "person not reached", error: String(error) });
    return { person: newPerson(), skipped: "unavailable" };
  }
}

/** One recommendation: person and tiles together, then what the person leads to, then the model, then the cards. */
export async function recommend(
  env: RecommendationEnv,
  application: string,
  input: RecommendationInput,
  edge: EdgePlace,
  later: (work: Promise<unknown>) => void,
): Promise<RecommendationAnswer> {
  const started = performance.now();
  const budgetMs = input.budgetMs ?? Number.POSITIVE_INFINITY;
  const now = Date.now() / 1000;
  const filter = input.filter ?? {};
  const session = sessionOf(env.USER_SESSION, application, input.userId, input.location ?? edge.point);
  const places = placesOf(env.LOCATION, application);
  const rankers = rankersOf(env, application, later);
  const { person, skipped } = await personOf(session.state(), budgetMs);
  const personMs = performance.now() - started;
  const { point, answer: location } = await whereabouts(env.LOCATION, person, input.location, edge);
  const whereMs = performance.now() - started - personMs;

  const answer = await runPipeline(
    {
      person,
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
      maxCandidates,
      explain: input.explain,
      budgetMs: budgetMs - (performance.now() - started),
    },
    { places, rankers: await rankers, clock: () => performance.now() },
  );
  const before = performance.now();
  const cards = await cardsOf(env, application, answer);
  const stages: Stage[] = [
    { name: "person", ms: round(personMs), ...(skipped ? { skipped } : {}) },
    { name: "place", ms: round(whereMs) },
    ...answer.stages,
    { name: "cards", ms: round(performance.now() - before) },
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
    variant: defaultVariant,
    location,
    candidates: answer.candidates.length,
    items: shown.map(({ productId, score }, i) => ({ productId, position: i + 1, score, propensity: 1 })),
    stages,
  };
  later(
    session
      .impression(application, input.userId, impressionOf({ ...answer, items: shown }, receipt, Math.random))
      .catch((error: unknown) => console.error({ event: "impression not kept", error: String(error) })),
  );
  return {
    recommendationId,
    model,
    variant: defaultVariant,
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
  };
}

/** What is shown of the chosen products, by id. A product that was deleted since its tile was made has none. */
async function cardsOf(
  env: RecommendationEnv,
  application: string,
  answer: PipelineAnswer,
): Promise<Map<string, ProductCard>> {
  const cards = await env.PRODUCT.cards(
    application,
    answer.items.map(({ productId }) => productId),
  );
  if (!cards.ok) throw new Error(`the catalogue refused: ${cards.error.detail}`);
  return new Map(cards.value.map((card) => [card.id, card]));
}
