import * as z from "zod";
import { nullIsAbsent } from "./null-is-absent.ts";
import { applicationName, identifier, instant, plainId, wellFormedText } from "./primitives.ts";

/**
 * The role of an API key. `admin` may do everything. `server` is the secret key of an application's backend: it acts for
 * every user, and scopes widen it. `publishable` may be in a public page: it reads products and lists, starts anonymous
 * sessions, and acts for no user.
 */
export const keyRole = z.enum(["admin", "server", "publishable"]);
export type KeyRole = z.infer<typeof keyRole>;

/**
 * Scopes that widen a server key. `/v1/keys` and `/v1/imports` have no scope: both need an admin key.
 */
export const keyScopes = [
  /** Read any user's profile and history, and list users. */
  "people:read",
  /** Know where users are: their home, locations, and the distances of products from them. */
  "locations:read",
  /** Create, change and erase users. */
  "people:write",
  /** Write products and their images, one at a time or in bulk. */
  "products:write",
  /** Import past events in bulk. */
  "events:import",
  /** Register, promote and roll back models. */
  "models:manage",
  /** Define experiments and read their results. */
  "experiments:manage",
  /** Issue tokens for users. */
  "tokens:issue",
] as const;
export const keyScope = z.enum(keyScopes);
export type KeyScope = z.infer<typeof keyScope>;

const newKey = z.strictObject({
  name: wellFormedText(1, 64).default("key"),
  application: applicationName.optional(),
});
const serverScopes = z
  .array(keyScope)
  .max(keyScopes.length)
  .transform((scopes) => [...new Set(scopes)])
  .default([]);
/** Returns the schema of the scopes of a role that has none, with the reason. */
const noScopes = (reason: string) => z.array(keyScope).max(0, `must be empty: ${reason}`).default([]);

/**
 * Body of `POST /v1/keys`. Only the development key may name an `application` other than its own.
 */
export const keyInput = z.discriminatedUnion("role", [
  nullIsAbsent(newKey.extend({ role: z.literal("server"), scopes: serverScopes })),
  nullIsAbsent(
    newKey.extend({
      role: z.literal("admin"),
      scopes: noScopes("an admin key may do everything without scopes"),
    }),
  ),
  nullIsAbsent(
    newKey.extend({ role: z.literal("publishable"), scopes: noScopes("a publishable key is not secret") }),
  ),
]);
export type KeyInput = z.infer<typeof keyInput>;

/** A key in a list, without the secret. Only a hash of the secret is stored. */
export const keyRecord = z.object({
  id: plainId,
  application: applicationName,
  role: keyRole,
  name: z.string(),
  scopes: z.array(keyScope),
  createdAt: instant,
  revokedAt: instant.nullable(),
  /** When a rotated key stops working; null if the key was not rotated. */
  expiresAt: instant.nullable(),
  /** Last use, accurate to an hour; null if the key was never used. */
  lastUsedAt: instant.nullable(),
});
export type KeyRecord = z.infer<typeof keyRecord>;

/** Answer of `POST /v1/keys`: the only answer that contains the secret `key`. */
export const createdKey = keyRecord.extend({ key: z.string() });
export type CreatedKey = z.infer<typeof createdKey>;

/** Body of `POST /v1/keys/{id}/rotate`: seconds that the old key keeps working, 0 to 7 days; 1 hour by default. */
export const keyRotation = nullIsAbsent(
  z.strictObject({
    overlapSeconds: z
      .number()
      .int()
      .min(0)
      .max(7 * 86_400)
      .default(3600),
  }),
);
export type KeyRotation = z.infer<typeof keyRotation>;

/** Answer of a rotation: the new key, and when the replaced key expires. */
export const rotatedKey = createdKey.extend({
  replaces: z.object({ id: plainId, expiresAt: instant }),
});
export type RotatedKey = z.infer<typeof rotatedKey>;

/** Body of `POST /v1/tokens`: a token for one user, valid for `ttlSeconds` (1 minute to 1 day). */
export const tokenInput = nullIsAbsent(
  z.strictObject({
    userId: identifier,
    ttlSeconds: z.number().int().min(60).max(86_400).default(3600),
  }),
);
export type TokenInput = z.infer<typeof tokenInput>;

/** Longest time for which a token is valid, in seconds: 30 days. A secret that signed one is kept as long. */
export const maxTokenSeconds = 30 * 86_400;

/** Body of `POST /v1/sessions` and its renewal: the token is valid for `ttlSeconds` (1 minute to 30 days). */
export const sessionInput = nullIsAbsent(
  z.strictObject({
    ttlSeconds: z
      .number()
      .int()
      .min(60)
      .max(maxTokenSeconds)
      .default(7 * 86_400),
  }),
);
export type SessionInput = z.infer<typeof sessionInput>;

/** Answer of `POST /v1/sessions` and its renewal. */
export const issuedSession = z.object({
  /** Id of the anonymous user, which nobody can guess. */
  userId: identifier,
  token: z.string(),
  /** When the token expires. */
  expiresAt: instant,
  /** When the session ends: no token of it can be renewed beyond. */
  endsAt: instant,
});
export type IssuedSession = z.infer<typeof issuedSession>;

/** Answer of `POST /v1/tokens`. */
export const issuedToken = z.object({ token: z.string(), userId: identifier, expiresAt: instant });
export type IssuedToken = z.infer<typeof issuedToken>;
