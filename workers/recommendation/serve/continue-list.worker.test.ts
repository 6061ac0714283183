import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { RecommendationAnswer } from "../../../shared/contracts/recommendation.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { pseudonymKeysOf } from "../../../shared/pseudonyms/pseudonym-keys.ts";
import { recommendForAnn, rejectAsDown, services } from "../testing/services.ts";
import { environment } from "../testing/user-sessions.ts";
import { continuedList } from "./continue-list.ts";
import { hashRequest, sealPosition } from "./list-cursor.ts";
import { replayRecommendation } from "./replay-recommendation.ts";

const recommend = async (
  application: string,
  input: object,
  change: object = {},
): Promise<RecommendationAnswer> =>
  unwrap(await recommendForAnn(change, input, application), "the recommendation service");
const idsOf = ({ items }: Pick<RecommendationAnswer, "items">): string[] =>
  items.map(({ productId }) => productId);
const session = (application: string) =>
  environment.USER_SESSION.get(environment.USER_SESSION.idFromName(`${application}:ann`));

/** Returns the pages of a list, up to its end. */
async function pagesOf(
  application: string,
  input: object,
  change: object = {},
): Promise<RecommendationAnswer[]> {
  const pages = [await recommend(application, input, change)];
  for (let { next } = pages[0]; next !== null; next = pages[pages.length - 1].next)
    pages.push(await recommend(application, { ...input, cursor: next }, change));
  return pages;
}

/** Refuses to go on with a cursor; returns the message. */
async function refusalOf(application: string, input: object): Promise<string> {
  const answer = await recommendForAnn({}, input, application);
  if (answer.ok) throw new Error("the cursor was accepted");
  expect(answer.error.code).toBe("invalid_input");
  expect(answer.error.issues?.[0].path).toBe("cursor");
  return answer.error.issues?.[0].message ?? "";
}

describe("the pages of a list", () => {
  afterEach(() => void vi.useRealTimers());

  it("show every product once, with ranks that go on, and end with null", async () => {
    const pages = await pagesOf("paged", { limit: 6 });
    expect(pages.map(({ items }) => items.length)).toEqual([6, 6, 6, 2]);
    expect(pages.flatMap(({ items }) => items.map(({ rank }) => rank))).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    expect(new Set(pages.flatMap(idsOf)).size).toBe(20);
    const [whole] = await pagesOf("paged", { limit: 20 });
    expect(pages.flatMap(idsOf)).toEqual(idsOf(whole));
    expect(whole.next).toBeNull();
  });

  it("are impressions of their own: positions go on, and later ones name the first", async () => {
    const pages = await pagesOf("receipts", { limit: 8 });
    const [first] = pages;
    const receipts = await Promise.all(
      pages.map(({ recommendationId }) => session("receipts").receipt("receipts", recommendationId)),
    );
    expect(receipts.map((each) => each?.continues)).toEqual([
      undefined,
      first.recommendationId,
      first.recommendationId,
    ]);
    expect(receipts.map((each) => each?.items.map(({ position }) => position))).toEqual([
      [1, 2, 3, 4, 5, 6, 7, 8],
      [9, 10, 11, 12, 13, 14, 15, 16],
      [17, 18, 19, 20],
    ]);
    expect(receipts[1]?.items.every(({ propensity }) => propensity === 1)).toBe(true);
    expect(receipts[1]?.input).not.toHaveProperty("cursor");
  });

  it("never repeat a product and obey the rules together, whatever they are", async () => {
    const rules = fc.record(
      {
        limit: fc.integer({ min: 1, max: 9 }),
        diversity: fc.constantFrom(0, 0.5, 1),
        caps: fc.record({ perCategory: fc.integer({ min: 1, max: 20 }) }),
        collapse: fc.subarray(["group", "category"] as const),
        pins: fc.uniqueArray(
          fc.record({ productId: fc.nat(19).map((i) => `p${i}`), position: fc.integer({ min: 1, max: 25 }) }),
          { maxLength: 4, selector: ({ position }) => position },
        ),
        exclude: fc.array(
          fc.nat(19).map((i) => `p${i}`),
          { maxLength: 5 },
        ),
      },
      { requiredKeys: ["limit"] },
    );
    const exploration = { rate: 0.5, depth: 5, drawn: { share: 0.5 } };
    const exploring = { ROLLOUT: JSON.stringify({ exploration }) };
    await fc.assert(
      fc.asyncProperty(rules, async (input) => {
        const ids = (await pagesOf("any-rules", input, exploring)).flatMap(idsOf);
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids.length).toBeLessThanOrEqual(
          input.collapse?.includes("category") ? 1 : (input.caps?.perCategory ?? 20),
        );
      }),
      { numRuns: 15 },
    );
  });

  it("are the same again for the same cursor, also what exploration draws", async () => {
    const exploring = { ROLLOUT: JSON.stringify({ exploration: { rate: 0.5, depth: 5 } }) };
    for (let i = 0; i < 5; i++) {
      const { next } = await recommend(`again-${i}`, { limit: 6 }, exploring);
      const again = () => recommend(`again-${i}`, { limit: 6, cursor: next ?? "" }, exploring);
      expect(idsOf(await again())).toEqual(idsOf(await again()));
    }
  });

  it("have no drawn order: chance decides the order of first pages only", async () => {
    const exploring = { ROLLOUT: JSON.stringify({ exploration: { rate: 0, drawn: { share: 0.5 } } }) };
    const orders = new Set<string>();
    for (let i = 0; i < 12; i++) {
      const first = await recommend("drawn-pages", { limit: 6 }, exploring);
      orders.add(idsOf(first).join());
      const page = await recommend("drawn-pages", { limit: 6, cursor: first.next ?? "" }, exploring);
      const receipt = await session("drawn-pages").receipt("drawn-pages", page.recommendationId);
      expect(receipt?.items.every(({ propensity }) => propensity === 1)).toBe(true);
      expect(idsOf(page).filter((id) => idsOf(first).includes(id))).toEqual([]);
    }
    expect(orders.size).toBeGreaterThan(2);
  });

  it("can be replayed", async () => {
    const input = { limit: 6, explain: true, caps: { perCategory: 11 } };
    const { next } = await recommend("replayed", input);
    const page = await recommend("replayed", { ...input, cursor: next });
    expect(page.items).toHaveLength(5);
    const receipt = await session("replayed").receipt("replayed", page.recommendationId);
    if (!receipt) throw new Error("there is no receipt");
    const inputs = await session("replayed").recordedInputs("replayed", page.recommendationId);
    const replay = unwrap(
      await replayRecommendation(services as never, "replayed", receipt, inputs),
      "the replay",
    );
    expect(replay).toMatchObject({ same: true, gone: [] });
    expect(replay.items.map(({ position }) => position)).toEqual([7, 8, 9, 10, 11]);
  });

  it("show a pinned product on the page of its position", async () => {
    const [{ productId }] = (await recommend("pinned", { limit: 1 })).items;
    const pages = await pagesOf("pinned", { limit: 10, pins: [{ productId, position: 14 }] });
    expect(idsOf(pages[0])).not.toContain(productId);
    expect(idsOf(pages[1])[3]).toBe(productId);
  });
});

describe("a cursor", () => {
  afterEach(() => void vi.useRealTimers());

  it("is refused for another user, application or request, changed, and after 30 minutes", async () => {
    const { next } = await recommend("refused", { limit: 6 });
    if (next === null) throw new Error("the list has no next page");
    const foreign = "is not a cursor of this user's list";
    expect(await refusalOf("refused", { userId: "bob", cursor: next })).toBe(foreign);
    expect(await refusalOf("refused-too", { cursor: next })).toBe(foreign);
    expect(await refusalOf("refused", { cursor: `${next.slice(0, -1)}.` })).toBe(foreign);
    expect(await refusalOf("refused", { cursor: next, diversity: 0.5 })).toBe(
      "belongs to a list with other fields",
    );
    const more = await recommendForAnn({}, { cursor: next, limit: 3, explain: true }, "refused");
    expect(more).toMatchObject({ ok: true, value: { items: [{ rank: 7 }, { rank: 8 }, { rank: 9 }] } });
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + 30 * 60_000);
    expect(await refusalOf("refused", { cursor: next })).toBe("has expired");
  });

  it("does not go on while the products before cannot be read: the rules would not hold", async () => {
    const input = { userId: "ann", explain: false };
    const user = "ab".repeat(32);
    const cursor = await sealPosition(await pseudonymKeysOf(services), "unread", {
      ...{ user, request: await hashRequest(input), startedAt: 1000, seed: 1, first: "r", shown: ["p1"] },
    });
    const env = { ...services, PRODUCT: { getCards: rejectAsDown } } as never;
    expect(await continuedList(env, "unread", { ...input, cursor }, user, 1001)).toMatchObject({
      ok: false,
      error: { code: "unavailable", retryAfter: 1 },
    });
  });
});
