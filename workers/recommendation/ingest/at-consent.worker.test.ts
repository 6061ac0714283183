import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { Precision } from "../../../shared/contracts/primitives.ts";
import { trustedRequester } from "../../../shared/contracts/requester.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { coarsenToKilometer } from "../../../shared/geo/coarsen.ts";
import { countingServices } from "../testing/counting-services.ts";
import { osloPoint, services } from "../testing/services.ts";
import { profileOf, session } from "../testing/user-sessions.ts";
import { ingestEvents } from "./ingest-events.ts";
import { setUserLocation } from "./set-user-location.ts";

/** What the location service of the tests makes of each point at the precision `city`. */
const cityPoint = { lat: 59.9, lon: 10.7 };
const kilometerPoint = coarsenToKilometer(osloPoint);

/** Returns the environment of a deployment with the default consent of the tests, `exact`, and counts of its calls. */
function deployment() {
  const { calls, env } = countingServices();
  const all = {
    ...services,
    ...env,
    DEFAULT_CONSENT: "exact",
    INTERACTIONS: { send: async () => undefined },
  };
  return { calls, env: all as never };
}

let versions = 0;
const allow = (userId: string, precision: Precision) =>
  session(userId).setUserSettings("demo", userId, { home: null, precision, version: ++versions });

let sent = 0;
/** Sends an event of a user in Oslo. Returns its receipt, and how often the user's object was called to record it. */
async function send(userId: string) {
  const { calls, env } = deployment();
  const event = {
    eventId: `e${sent++}`,
    userId,
    type: "view" as const,
    productId: "p1",
    location: osloPoint,
  };
  const work: Promise<unknown>[] = [];
  const input = { events: [event], requester: trustedRequester };
  const answer = await ingestEvents(env, "demo", input, Date.now() / 1000, (each) => void work.push(each));
  await Promise.all(work);
  return { receipt: unwrap(answer, "ingestion").receipt, calls: calls["user.ingest"], all: calls };
}

/** Returns the locations that the journal of a user holds, in the order of the events. */
const journal = (userId: string) =>
  runInDurableObject(session(userId), (_object, { storage: { sql } }) =>
    sql
      .exec<{ body: string }>("SELECT body FROM journal WHERE id LIKE 'event:%' ORDER BY seq")
      .toArray()
      .map(({ body }) => JSON.parse(body).interaction.location),
  );

describe("an event with a location", () => {
  it("is recorded by one call for a user with the default consent", async () => {
    const { receipt, all } = await send("mona");
    expect(receipt).toMatchObject({ accepted: 1, rejected: [], warnings: [] });
    expect(all).toEqual({ "user.ingest": 1, "product.getCards": 1 });
    expect(await journal("mona")).toEqual([osloPoint]);
  });

  it("is recorded at the precision that the user allows, by one call once the isolate knows it", async () => {
    await allow("carl", "city");
    const first = await send("carl");
    expect(first).toMatchObject({ calls: 2, receipt: { accepted: 1, rejected: [] } });
    expect(first.receipt.warnings).toMatchObject([{ code: "location_coarsened" }]);
    expect((await send("carl")).calls).toBe(1);
    expect(await journal("carl")).toEqual([cityPoint, cityPoint]);
  });

  it("is recorded finer after the user allowed more, and coarser after they allowed less", async () => {
    await allow("dina", "city");
    await send("dina");
    await allow("dina", "exact");
    expect((await send("dina")).receipt.warnings).toEqual([]);
    expect(await journal("dina")).toEqual([cityPoint, osloPoint]);
    await allow("dina", "approximate");
    expect(await send("dina")).toMatchObject({ calls: 2, receipt: { accepted: 1 } });
    expect((await journal("dina")).at(-1)).toEqual(kilometerPoint);
  });

  it("is recorded without it for a user who allows none", async () => {
    await allow("nils", "none");
    for (let i = 0; i < 2; i++) {
      const { receipt } = await send("nils");
      expect(receipt).toMatchObject({ accepted: 1, warnings: [{ code: "location_not_stored" }] });
    }
    expect(await journal("nils")).toEqual([null, null]);
    await allow("nils", "exact");
    expect((await send("nils")).receipt.warnings).toEqual([]);
    expect(await journal("nils")).toEqual([null, null, osloPoint]);
  });

  it("is refused, and not recorded, while the consent changes again and again", async () => {
    const { env } = deployment();
    const consents: Precision[] = ["city", "exact", "approximate", "city"];
    const changing = {
      ...(env as object),
      USER_SESSION: {
        idFromName: services.USER_SESSION.idFromName.bind(services.USER_SESSION),
        idFromString: services.USER_SESSION.idFromString.bind(services.USER_SESSION),
        get: () => ({
          id: session("otto").id,
          ingest: async (...args: Parameters<ReturnType<typeof session>["ingest"]>) => {
            await allow("otto", consents.shift() ?? "exact");
            return session("otto").ingest(...args);
          },
        }),
      },
    };
    const event = {
      eventId: "o",
      userId: "otto",
      type: "view",
      productId: "p1",
      location: osloPoint,
    } as const;
    const input = { events: [event], requester: trustedRequester };
    const answer = await ingestEvents(changing as never, "demo", input, Date.now() / 1000, () => undefined);
    expect(unwrap(answer, "ingestion").receipt).toMatchObject({
      accepted: 0,
      rejected: [{ index: 0, error: { code: "conflict", retryAfter: 1 } }],
    });
    expect(await journal("otto")).toEqual([]);
  });
});

describe("the location of a user", () => {
  it("is stored at the precision that the user allows, by one call once the isolate knows it", async () => {
    await allow("rosa", "city");
    const report = async () => {
      const { calls, env } = deployment();
      const input = { input: osloPoint, requester: trustedRequester };
      const outcome = unwrap(
        await setUserLocation(env, "demo", "rosa", input, Date.now() / 1000),
        "the location",
      );
      return { calls: calls["user.setLocation"], location: outcome.answer.location };
    };
    expect(await report()).toMatchObject({ calls: 2, location: { precision: "city", source: "request" } });
    expect((await report()).calls).toBe(1);
    const { location } = await profileOf("rosa");
    expect(location).toMatchObject(cityPoint);
  });
});
