import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { UserSession } from "../../../durable-objects/user-session/user-session.ts";
import { encodeProfile } from "../../../model/profile/codec.ts";
import { trustedRequester } from "../../../shared/contracts/requester.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { osloPoint, recommendForAnn, sessionEnvironment } from "../testing/services.ts";
import { encodedProfileOf, profileOf, session, view } from "../testing/user-sessions.ts";
import { knownProfiles } from "./known-profiles.ts";

/** Returns the namespace of users' objects, and the sizes of the profiles that they send; null for an unchanged one. */
function watchedSessions() {
  const sizes: (number | null)[] = [];
  const watched = (stub: DurableObjectStub<UserSession>) =>
    new Proxy(stub, {
      get: (target, name) =>
        name === "encodedProfileFor"
          ? async (...args: Parameters<UserSession["encodedProfileFor"]>) => {
              const answer = await target.encodedProfileFor(...args);
              if (answer.ok) sizes.push(answer.value.bytes?.byteLength ?? null);
              return answer;
            }
          : Reflect.get(target, name),
    });
  const namespace = sessionEnvironment.USER_SESSION;
  const USER_SESSION = new Proxy(namespace, {
    get: (target, name) => {
      const value = Reflect.get(target, name);
      if (name === "get") return (id: DurableObjectId) => watched(target.get(id));
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { sizes, env: { USER_SESSION } };
}

/** Returns a list of all products but those that the user purchased, and the sizes of the profiles sent for it. */
async function listFor(userId: string) {
  const { sizes, env } = watchedSessions();
  const input = { userId, limit: 20, purchased: "hide", location: osloPoint };
  const answer = unwrap(await recommendForAnn(env, input), "the recommendation service");
  return { ids: answer.items.map(({ productId }) => productId), precision: answer.location.precision, sizes };
}

const purchase = async (userId: string, productId: string): Promise<void> => {
  const event = { ...view(`${userId}-${productId}`, productId), type: "purchase" as const };
  unwrap(await session(userId).ingest("demo", userId, [event], false), "the user's object");
};

describe("a list after another one of the same user", () => {
  it("needs no profile from the user's object while the profile is the same", async () => {
    await purchase("ann", "p0");
    const size = (await encodedProfileOf("ann")).bytes?.byteLength;
    const first = await listFor("ann");
    expect(first.sizes).toEqual([size]);
    // Only what the list showed comes with the next one.
    for (let i = 0; i < 3; i++) expect(await listFor("ann")).toEqual({ ...first, sizes: [null] });
  });

  it("needs none of an unknown user either, and the first event counts at once", async () => {
    expect((await listFor("new")).sizes).toEqual([0]);
    expect((await listFor("new")).sizes).toEqual([null]);
    await purchase("new", "p0");
    expect((await listFor("new")).ids).not.toContain("p0");
  });

  it("follows each event", async () => {
    expect((await listFor("bo")).ids).toContain("p3");
    await purchase("bo", "p3");
    const { ids, sizes } = await listFor("bo");
    expect(ids).toHaveLength(19);
    expect(ids).not.toContain("p3");
    expect(sizes[0]).toBeGreaterThan(0);
    await purchase("bo", "p4");
    expect((await listFor("bo")).ids).toHaveLength(18);
    // An event that is known changes nothing.
    await purchase("bo", "p4");
    expect((await listFor("bo")).sizes).toEqual([null]);
  });

  it("follows a lowered consent, and a location, believed or not", async () => {
    await purchase("cleo", "p0");
    expect((await listFor("cleo")).precision).toBe("approximate");
    const now = Date.now() / 1000;
    for (const [seconds, lat] of [
      [1, osloPoint.lat],
      [2, -osloPoint.lat],
    ]) {
      const visit = { lat, lon: osloPoint.lon, time: now + seconds, precision: "exact" as const };
      unwrap(await session("cleo").setLocation("demo", "cleo", visit), "the user's object");
      expect((await listFor("cleo")).sizes[0]).toBeGreaterThan(0);
    }
    const settings = { home: null, precision: "city" as const, version: 1 };
    unwrap(await session("cleo").setUserSettings("demo", "cleo", settings), "the user's object");
    expect((await listFor("cleo")).precision).toBe("city");
  });

  it("follows a merge", async () => {
    await purchase("anonymous", "p1");
    await purchase("dora", "p0");
    expect((await listFor("dora")).ids).toContain("p1");
    const source = { userId: "anonymous", pseudonym: session("anonymous").id.toString(), generation: 0 };
    unwrap(await session("dora").prepareMerge(source, Date.now() / 1000), "the user's object");
    await session("dora").commitMerge("demo", "dora", source, {
      profile: encodeProfile(await profileOf("anonymous")),
      ...{ sourcePrecision: "exact", precision: "exact", seq: 1, counts: [], earlier: [] },
    });
    const { ids } = await listFor("dora");
    expect(ids).toHaveLength(18);
    expect(ids).not.toContain("p1");
  });

  it("gets the profile again from an object that woke up", async () => {
    await purchase("eli", "p0");
    const first = await listFor("eli");
    await evictDurableObject(session("eli"));
    const { ids, sizes } = await listFor("eli");
    expect(ids).toEqual(first.ids);
    expect(sizes[0]).toBeGreaterThan(first.sizes[0] ?? 0);
    expect(await listFor("eli")).toEqual({ ...first, sizes: [null] });
  });

  it("shows nothing of a transaction that failed, and all of the one after it", async () => {
    await purchase("fay", "p0");
    const first = await listFor("fay");
    const { version } = await encodedProfileOf("fay");
    const events = ["p1", "p2"].map((id) => ({ ...view(id, id), type: "purchase" as const }));
    await runInDurableObject(session("fay"), async (object, { storage: { sql } }) => {
      const exec = sql.exec.bind(sql);
      let inserts = 0;
      Object.defineProperty(sql, "exec", {
        configurable: true,
        value: (...query: Parameters<typeof exec>) => {
          if (query[0].startsWith("INSERT INTO journal") && ++inserts === 2) throw new Error("disk full");
          return exec(...query);
        },
      });
      await expect(object.ingest("demo", "fay", events, false)).rejects.toThrow("disk full");
      Object.defineProperty(sql, "exec", { configurable: true, value: exec });
    });
    // The first of the two events was in the profile until the second one failed.
    expect((await encodedProfileOf("fay")).version).not.toBe(version);
    const { ids, sizes } = await listFor("fay");
    expect(ids).toEqual(first.ids);
    expect(sizes[0]).toBeGreaterThan(first.sizes[0] ?? 0);
    unwrap(await session("fay").ingest("demo", "fay", events, false), "the user's object");
    expect((await listFor("fay")).ids).toHaveLength(17);
  });

  it("leaves the profile as the object sent it", async () => {
    await purchase("gil", "p0");
    for (let i = 0; i < 3; i++) await listFor("gil");
    const known = await knownProfiles.read(session("gil"), "demo", trustedRequester, "exact");
    expect(encodeProfile(unwrap(known, "the user's object"))).toEqual((await encodedProfileOf("gil")).bytes);
  });
});
