/// <reference types="@cloudflare/vitest-plugin/types" />

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { IngestResponse, UserSession } from "../../../durable-objects/user-session/user-session.ts";
import { userSessionStub } from "../../../durable-objects/user-session/user-session-stub.ts";
import { decodeProfile } from "../../../model/profile/codec.ts";
import { usualConsent } from "../../../shared/consent/default-consent.ts";
import type { Interaction } from "../../../shared/contracts/event.ts";
import { trustedRequester } from "../../../shared/contracts/requester.ts";
import { unwrap } from "../../../shared/contracts/result.ts";

export const environment: { USER_SESSION: DurableObjectNamespace<UserSession> } = Object.assign(
  { USER_SESSION: {} as never },
  env,
);
export const session = (userId: string) => userSessionStub(environment.USER_SESSION, "demo", userId, null);

export const view = (eventId: string, productId: string, time = Date.now() / 1000): Interaction => ({
  eventId,
  type: "view",
  productId,
  time,
  recommendationId: null,
  location: { lat: 59.91, lon: 10.75 },
  facts: {
    cell: "860ec8b37ffffff",
    lat: 59.91,
    lon: 10.75,
    category: "cafe",
    priceMinor: 400,
    currency: "EUR",
  },
});

export interface Row {
  [name: string]: SqlStorageValue;
  id: string;
  seq: number;
  open: number;
}
export const rows = (userId: string): Promise<Row[]> =>
  runInDurableObject(session(userId), (_object, state) =>
    state.storage.sql.exec<Row>("SELECT id, seq, open FROM journal ORDER BY seq").toArray(),
  );
export const acceptances = ({ results }: IngestResponse) => results.map(({ acceptance }) => acceptance);
export const open = async (userId: string): Promise<number[]> => (await rows(userId)).map((row) => row.open);
export const alarmOf = (userId: string): Promise<number | null> =>
  runInDurableObject(session(userId), (_object, state) => state.storage.getAlarm());
/** Returns the encoded profile of a user, and its version. */
export const encodedProfileOf = async (userId: string) =>
  unwrap(await session(userId).encodedProfileFor(trustedRequester), "the user object");
export const profileOf = async (userId: string) =>
  decodeProfile((await encodedProfileOf(userId)).bytes ?? new Uint8Array(), usualConsent);
