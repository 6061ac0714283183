import { describe, expect, it } from "vitest";
import type { IntentRule } from "../../shared/contracts/recommendation.ts";
import { categoryOf } from "../columns/columns.ts";
import type { Candidate } from "../features/compute-features.ts";
import { applyInteraction } from "../profile/apply-interaction.ts";
import type { ReadonlyProfile, UserProfile } from "../profile/profile.ts";
import { defaultHistoryRules } from "../rules/hidden-products.ts";
import { type PipelineAnswer, runPipeline } from "./run-pipeline.ts";
import { bundledRankerInNode, simulatedNow, simulatedWorld } from "./testing/simulated-world.node.ts";

const minute = 60;
/** Cities of which every product near a user is a candidate. */
const smallCities = simulatedWorld();
/** A city of which the candidates of a list are a small part. */
const denseCity = simulatedWorld({ products: 8000, users: 40, cities: 1 });
type World = typeof smallCities;
const ranker = await bundledRankerInNode();
const users = Array.from({ length: 20 }, (_, i) => i);

const answerFor = (
  { queryFor, candidateService }: World,
  user: number,
  profile: ReadonlyProfile,
  now: number,
  intent: IntentRule = "follow",
  categories?: string[],
): Promise<PipelineAnswer> =>
  runPipeline(
    queryFor(user, {
      ...{ profile, now, historyRules: { ...defaultHistoryRules, intent } },
      ...(categories ? { filter: { categories } } : {}),
    }),
    { candidateService, ...{ rankers: [ranker], clock: () => 0 } },
  );

/** Returns the category that a user chooses least of those with ten products near them, and these products. */
async function seldomChosen(
  world: World,
  user: number,
): Promise<{ category: string; products: readonly Candidate[] }> {
  const { profile } = world.queryFor(user);
  const choicesOf = (name: string): number => profile.categories.get(name)?.choices ?? 0;
  for (const category of [...world.categories].sort((a, b) => choicesOf(a) - choicesOf(b))) {
    const { candidates } = await answerFor(world, user, profile, simulatedNow, "follow", [category]);
    if (candidates.length >= 10 && choicesOf(category) <= 0.03 * profile.choices)
      return { category, products: candidates };
  }
  throw new Error("every category has few products, or the user chooses it often");
}

/** Returns the user's profile after clicks on different products, one in a minute, the last one a minute ago. */
function afterClicks(
  world: World,
  user: number,
  category: string,
  products: readonly Candidate[],
): UserProfile {
  const profile = structuredClone(world.queryFor(user).profile) as UserProfile;
  for (const [i, { block, row }] of products.entries())
    applyInteraction(
      profile,
      {
        ...{
          eventId: `e${i}`,
          type: "click",
          productId: block.id(row),
          recommendationId: null,
          location: null,
        },
        time: simulatedNow - (products.length - i) * minute,
        facts: {
          ...{ cell: null, category, lat: block.lat[row], lon: block.lon[row] },
          ...{ priceMinor: null, currency: null },
        },
      },
      0,
    );
  return profile;
}

const countOf = ({ items, candidates }: PipelineAnswer, category: string): number =>
  items.filter(({ index }) => categoryOf(candidates[index].block, candidates[index].row) === category).length;

describe("a known user who clicks on a category that they seldom choose", () => {
  it("sees at least two of ten of it after five clicks, and after ten; without an intent, the list is as it was", async () => {
    for (const user of users) {
      const { category, products } = await seldomChosen(smallCities, user);
      for (const [clicks, least] of [
        [0, 0],
        [1, 0],
        [5, 2],
        [10, 2],
      ]) {
        const profile = afterClicks(smallCities, user, category, products.slice(0, clicks));
        const answer = await answerFor(smallCities, user, profile, simulatedNow);
        expect(countOf(answer, category)).toBeGreaterThanOrEqual(least);
        if (clicks > 1) continue;
        const ignored = await answerFor(smallCities, user, profile, simulatedNow, "ignore");
        expect(answer.items).toEqual(ignored.items);
      }
    }
  }, 60_000);

  it("sees as many where the candidates are few of the products near them", async () => {
    let without = 0;
    for (const user of users) {
      const { category, products } = await seldomChosen(denseCity, user);
      const profile = afterClicks(denseCity, user, category, products.slice(0, 5));
      expect(
        countOf(await answerFor(denseCity, user, profile, simulatedNow), category),
      ).toBeGreaterThanOrEqual(2);
      without += countOf(await answerFor(denseCity, user, profile, simulatedNow, "ignore"), category);
    }
    expect(without / users.length).toBeLessThan(1.5);
  }, 60_000);

  it("sees the list of the model again after two hours", async () => {
    for (const user of users.slice(0, 8)) {
      const { category, products } = await seldomChosen(smallCities, user);
      const profile = afterClicks(smallCities, user, category, products.slice(0, 5));
      const later = simulatedNow + 120 * minute;
      expect((await answerFor(smallCities, user, profile, later)).items).toEqual(
        (await answerFor(smallCities, user, profile, later, "ignore")).items,
      );
    }
  }, 60_000);
});
