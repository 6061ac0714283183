import { describe, expect, it } from "vitest";
import { recommendationBatchInput } from "../../../shared/contracts/recommendation-batch.ts";
import { trustedRequester } from "../../../shared/contracts/requester.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { countingServices } from "../testing/counting-services.ts";
import { rejectAsDown, services } from "../testing/services.ts";
import { recommendBatch } from "./recommend-batch.ts";

/** Makes the lists of a batch, and waits for the work after the answer. */
async function batch(application: string, input: object, change: object = {}, requester = trustedRequester) {
  const pending: Promise<unknown>[] = [];
  const result = await recommendBatch(
    { ...services, ...change } as never,
    application,
    recommendationBatchInput.parse(input),
    requester,
    (work) => void pending.push(work.catch(() => null)),
  );
  await Promise.all(pending);
  return result;
}
const usersOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `user-${i}`);

describe("recommendBatch", () => {
  it("has a list for each user, in their order, with an id and a receipt of its own", async () => {
    const userIds = usersOf(60);
    const { items } = unwrap(await batch("many", { userIds, limit: 3 }), "the batch");
    expect(items.map(({ userId }) => userId)).toEqual(userIds);
    expect(items.map(({ recommendation }) => recommendation?.items.length)).toEqual(userIds.map(() => 3));
    const ids = items.map(({ recommendation }) => recommendation?.recommendationId ?? "");
    expect(new Set(ids).size).toBe(60);
    const session = services.USER_SESSION.get(services.USER_SESSION.idFromName("many:user-59"));
    expect((await session.receipt("many", ids[59]))?.items).toHaveLength(3);
  });

  it("joins the calls of its users", async () => {
    const { calls, env } = countingServices();
    const pins = [{ productId: "p3", position: 1 }];
    const filter = { expression: 'product.price < 100.0 || product.currency == "EUR"' };
    const wanted = { userIds: usersOf(50), limit: 3, pins, filter };
    const { items } = unwrap(await batch("joined", wanted, env), "the batch");
    for (const { recommendation } of items) expect(recommendation?.items[0].productId).toBe("p3");
    // Two groups of users. The cards of pins and lists that the first reads are in memory for the second.
    expect(calls).toMatchObject({
      "location.gatherManyCandidates": 2,
      "location.filterCurrencies": 2,
      "product.getCards": 2,
      "user.encodedProfileFor": 50,
    });
    expect(calls["location.gatherCandidates"]).toBeUndefined();
  });

  it("has an error for a user whose list fails, and lists for the others", async () => {
    const { USER_SESSION } = services;
    const failing = USER_SESSION.idFromName("partly:user-1").toString();
    const sessions = new Proxy(USER_SESSION, {
      get: (namespace, name) => {
        const value = Reflect.get(namespace, name);
        if (name !== "get") return typeof value === "function" ? value.bind(namespace) : value;
        return (id: DurableObjectId) =>
          id.toString() === failing
            ? {
                id,
                encodedProfileFor: async () => ({
                  ok: false,
                  error: { code: "user_merged", detail: "merged" },
                }),
              }
            : namespace.get(id);
      },
    });
    const found = await batch("partly", { userIds: usersOf(3) }, { USER_SESSION: sessions });
    expect(found).toMatchObject({
      ok: true,
      value: {
        items: [
          { userId: "user-0", recommendation: {} },
          { userId: "user-1", error: { code: "user_merged", detail: "merged" } },
          { userId: "user-2", recommendation: {} },
        ],
      },
    });
  });

  it("refuses what is wrong with the request itself", async () => {
    const expression = { filter: { expression: "product.prise < 1.0" } };
    expect(await batch("wrong", { userIds: usersOf(2), ...expression })).toMatchObject({
      ok: false,
      error: { code: "invalid_input", issues: [{ path: "filter.expression", nearest: "product.price" }] },
    });
    const stranger = { ...trustedRequester, mayReadHistory: false };
    expect(await batch("wrong", { userIds: usersOf(2), only: "chosen" }, {}, stranger)).toMatchObject({
      ok: false,
      error: { code: "forbidden" },
    });
    expect(recommendationBatchInput.safeParse({ userIds: ["a", "a"] }).success).toBe(false);
    expect(recommendationBatchInput.safeParse({ userIds: usersOf(101) }).success).toBe(false);
    expect(recommendationBatchInput.safeParse({ userIds: ["a"], limit: 21 }).success).toBe(false);
  });

  it("says which users to send again if their lists need more calls than a request may make", async () => {
    // Each call answers one of the users.
    const one = async (application: string, queries: never[]) => {
      const { value } = unwrapped(await services.LOCATION.gatherManyCandidates(application, queries));
      return { ok: true, value: value.map((each, i) => (i === 0 ? each : null)) };
    };
    const LOCATION = { ...services.LOCATION, gatherManyCandidates: one };
    const { items } = unwrap(await batch("narrow", { userIds: usersOf(60) }, { LOCATION }), "the batch");
    const served = items.filter(({ recommendation }) => recommendation);
    expect(served.length).toBeGreaterThan(20);
    for (const { recommendation, error } of items)
      if (!recommendation) expect(error).toMatchObject({ code: "unavailable", retryAfter: 1 });
  });

  it("has lists without a place, and cards from tiles, while services fail", async () => {
    const LOCATION = { ...services.LOCATION, coarsenPoints: rejectAsDown };
    const PRODUCT = { ...services.PRODUCT, getCards: rejectAsDown };
    const { items } = unwrap(
      await batch("down", { userIds: usersOf(3) }, { LOCATION, PRODUCT }),
      "the batch",
    );
    for (const { recommendation } of items) expect(recommendation?.items.length).toBeGreaterThan(0);
  });
});

/** Returns a result that is known to be no refusal. */
const unwrapped = <T extends { ok: boolean }>(result: T): Extract<T, { ok: true }> => {
  if (!result.ok) throw new Error("refused");
  return result as Extract<T, { ok: true }>;
};
