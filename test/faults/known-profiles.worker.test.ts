import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { decodeProfile } from "../../model/profile/codec.ts";
import { precisions } from "../../shared/contracts/primitives.ts";
import { trustedRequester } from "../../shared/contracts/requester.ts";
import { unwrap } from "../../shared/contracts/result.ts";
import { KnownProfiles } from "../../workers/recommendation/serve/known-profiles.ts";
import { type EventPipeline, productIds } from "./event-pipeline.ts";
import { isLong, newPipeline, prepareFaultTests } from "./set-up.ts";

prepareFaultTests();

const [ann, anonymous] = ["ann", "anonymous"];
const start = Date.UTC(2026, 5, 1, 12);
const oslo = { lat: 59.91, lon: 10.75 };

/** Returns the profile of a user by way of the profiles that an isolate knows, and as the user's object has it now. */
async function readTwice(pipeline: EventPipeline, isolate: KnownProfiles, userId: string) {
  const session = pipeline.session(userId);
  const known = await isolate.read(session, pipeline.application, trustedRequester, "exact");
  const { bytes } = unwrap(await session.encodedProfileFor(trustedRequester), "the user's object");
  return [unwrap(known, "the user's object"), decodeProfile(bytes ?? new Uint8Array(), "exact")];
}

let requests = 0;

/** What may happen to a user and their object. */
const happenings = {
  event: async (pipeline, userId) => {
    const n = requests++;
    const productId = productIds[n % productIds.length];
    await pipeline.send([{ eventId: `e${n}`, userId, type: "click", productId }]);
  },
  location: async (pipeline, userId) => {
    const visit = { lat: oslo.lat + (requests++ % 9) / 100, lon: oslo.lon, time: Date.now() / 1000 };
    await pipeline
      .session(userId)
      .setLocation(pipeline.application, userId, { ...visit, precision: "exact" as const });
  },
  consent: async (pipeline, userId) => {
    const version = ++requests;
    const settings = { home: oslo, precision: precisions[version % precisions.length], version };
    await pipeline.session(userId).setUserSettings(pipeline.application, userId, settings);
  },
  erasure: async (pipeline, userId) => {
    await pipeline.session(userId).erase(pipeline.application, userId, `erasure-${requests++}`);
  },
  merge: async (pipeline) => {
    const into = { userId: ann, pseudonym: pipeline.session(ann).id.toString() };
    const id = `merge-${requests++}`;
    await pipeline.session(anonymous).beginMerge(pipeline.application, anonymous, into, id);
  },
  eviction: (pipeline, userId) => pipeline.evictSession(userId),
  deliveries: async (pipeline) => {
    vi.setSystemTime(Date.now() + 70_000);
    await pipeline.deliverAll([ann, anonymous]);
  },
} satisfies Record<string, (pipeline: EventPipeline, userId: string) => Promise<void>>;

const step = fc.record({
  userId: fc.constantFrom(ann, anonymous),
  happening: fc.constantFrom(...(Object.keys(happenings) as (keyof typeof happenings)[])),
});

describe("the profiles that an isolate knows", () => {
  it("are those that the users' objects have, after whatever happened to the users", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const pipeline = await newPipeline();
        vi.setSystemTime(start);
        const isolate = new KnownProfiles(1024 * 1024);
        for (const { userId, happening } of steps) {
          await happenings[happening](pipeline, userId);
          for (const each of [ann, anonymous]) {
            const [known, present] = await readTwice(pipeline, isolate, each);
            expect(known, `${each} after ${happening}`).toEqual(present);
          }
        }
      }),
      { numRuns: isLong ? 300 : 20 },
    );
  });

  it("are forgotten by an erasure, and after a merge", async () => {
    const pipeline = await newPipeline();
    vi.setSystemTime(start);
    const isolate = new KnownProfiles(1024 * 1024);
    for (const userId of [ann, anonymous, anonymous]) await happenings.event(pipeline, userId);
    const events = async (userId: string) => (await readTwice(pipeline, isolate, userId))[0].events;
    expect([await events(ann), await events(anonymous)]).toEqual([1, 2]);
    await happenings.deliveries(pipeline);
    await happenings.merge(pipeline);
    for (let i = 0; i < 3; i++) await happenings.deliveries(pipeline);
    expect([await events(ann), await events(anonymous)]).toEqual([3, 0]);
    await happenings.erasure(pipeline, ann);
    for (let i = 0; i < 3; i++) await happenings.deliveries(pipeline);
    expect(await events(ann)).toBe(0);
  });
});
