import { describe, expect, it } from "vitest";
import type { UserProfile } from "../profile/profile.ts";
import { noteShown } from "../profile/shown-products.ts";
import { defaultHistoryRules, type HistoryRules } from "../rules/hidden-products.ts";
import { decodeInputs, encodeInputs, InputRecorder } from "./recorded-inputs.ts";
import { replayList } from "./replay-list.ts";
import { type PipelineAnswer, runPipeline } from "./run-pipeline.ts";
import { bundledRankerInNode, simulatedNow, simulatedWorld } from "./testing/simulated-world.node.ts";

const minute = 60;
const day = 86_400;
const world = simulatedWorld();
const ranker = await bundledRankerInNode();
const users = Array.from({ length: 30 }, (_, i) => i);

const profileOfUser = (user: number): UserProfile =>
  structuredClone(world.queryFor(user).profile) as UserProfile;

const answerAt = (
  user: number,
  profile: UserProfile,
  now: number,
  historyRules: HistoryRules = defaultHistoryRules,
): Promise<PipelineAnswer> =>
  runPipeline(world.queryFor(user, { profile, now, historyRules }), {
    candidateService: world.candidateService,
    ...{ rankers: [ranker], clock: () => 0 },
  });

const idsOf = ({ items }: PipelineAnswer): string[] => items.map(({ productId }) => productId);

/** Returns the mean share of the first list of users that the last of several lists shows, without any act between. */
async function meanOverlap(times: readonly number[], historyRules?: HistoryRules): Promise<number> {
  let sum = 0;
  for (const user of users) {
    const profile = profileOfUser(user);
    const first = idsOf(await answerAt(user, profile, simulatedNow, historyRules));
    noteShown(profile, first, simulatedNow);
    let last: string[] = first;
    for (const time of times) {
      last = idsOf(await answerAt(user, profile, simulatedNow + time, historyRules));
      noteShown(profile, last, simulatedNow + time);
    }
    sum += last.filter((id) => first.includes(id)).length / first.length;
  }
  return sum / users.length;
}

describe("a list asked again without any act", () => {
  it("is the same after five minutes, and others come up within a week", async () => {
    expect(await meanOverlap([5 * minute])).toBeGreaterThan(0.97);
    const keep = { ...defaultHistoryRules, shown: "keep" as const };
    const week = [1, 2, 3, 4, 5, 6, 7].map((n) => n * day);
    const kept = await meanOverlap(week, keep);
    const faded = await meanOverlap(week);
    expect(kept).toBeGreaterThan(0.9);
    expect(faded).toBeLessThan(0.75);
    // One list, and another a week later.
    const once = await meanOverlap([7 * day]);
    expect(once).toBeLessThan(kept - 0.03);
    expect(once).toBeGreaterThan(faded);
  }, 60_000);

  it("names the rule, and is replayed from what was recorded", async () => {
    const profile = profileOfUser(3);
    noteShown(profile, idsOf(await answerAt(3, profile, simulatedNow)), simulatedNow);
    const query = world.queryFor(3, { profile, now: simulatedNow + day });
    const recorder = new InputRecorder({
      candidateService: world.candidateService,
      ...{ rankers: [ranker], clock: () => 0 },
    });
    const answer = await runPipeline(query, recorder.ports);
    const faded = answer.items.flatMap(({ rules }) => rules.filter(({ rule }) => rule === "shown"));
    expect(faded.length).toBeGreaterThan(0);
    for (const { factor = 1 } of faded) expect(factor).toBeCloseTo(0.8 ** 0.95, 2);
    const inputs = recorder.inputsOf(query, { unlisted: [], listable: 10 });
    const decoded = inputs && decodeInputs(encodeInputs(inputs));
    if (!decoded) throw new Error("the inputs must decode");
    expect((await replayList(decoded, ranker)).map(({ productId, score }) => ({ productId, score }))).toEqual(
      answer.items.map(({ productId, score }) => ({ productId, score })),
    );
  });
});
