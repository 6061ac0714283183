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
const world = simulatedWorld();
const ranker = await bundledRankerInNode();
const users = Array.from({ length: 20 }, (_, i) => i);

const answerFor = (
  user: number,
  profile: ReadonlyProfile,
  now: number,
  intent: IntentRule = "follow",
): Promise<PipelineAnswer> =>
  runPipeline(world.queryFor(user, { profile, now, historyRules: { ...defaultHistoryRules, intent } }), {
    candidateService: world.candidateService,
    ...{ rankers: [ranker], clock: () => 0 },
  });

/** Returns products near a user of a category that they seldom choose: the one of most products. */
async function seldomChosen(user: number): Promise<{ category: string; products: Candidate[] }> {
  const { profile } = world.queryFor(user);
  const byCategory = new Map<string, Candidate[]>();
  for (const each of (await answerFor(user, profile, simulatedNow)).candidates) {
    const name = categoryOf(each.block, each.row);
    byCategory.set(name, [...(byCategory.get(name) ?? []), each]);
  }
  const [found] = [...byCategory]
    .filter(([name]) => (profile.categories.get(name)?.choices ?? 0) <= 0.03 * profile.choices)
    .sort(([, a], [, b]) => b.length - a.length);
  return { category: found[0], products: found[1] };
}

/** Returns the user's profile after clicks on different products, one in a minute, the last one a minute ago. */
function afterClicks(user: number, category: string, products: readonly Candidate[]): UserProfile {
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
      const { category, products } = await seldomChosen(user);
      for (const [clicks, least] of [
        [0, 0],
        [1, 0],
        [5, 2],
        [10, 2],
      ]) {
        const profile = afterClicks(user, category, products.slice(0, clicks));
        const answer = await answerFor(user, profile, simulatedNow);
        expect(countOf(answer, category)).toBeGreaterThanOrEqual(least);
        const ignored = await answerFor(user, profile, simulatedNow, "ignore");
        if (clicks <= 1) expect(answer.items).toEqual(ignored.items);
        const raised = answer.items.filter(({ rules }) => rules.some(({ rule }) => rule === "intent"));
        expect(countOf(answer, category) - countOf(ignored, category)).toBeLessThanOrEqual(raised.length);
      }
    }
  }, 60_000);

  it("sees the list of the model again after two hours", async () => {
    for (const user of users.slice(0, 8)) {
      const { category, products } = await seldomChosen(user);
      const profile = afterClicks(user, category, products.slice(0, 5));
      const later = simulatedNow + 120 * minute;
      expect((await answerFor(user, profile, later)).items).toEqual(
        (await answerFor(user, profile, later, "ignore")).items,
      );
    }
  }, 60_000);
});
