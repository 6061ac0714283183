import { z } from "zod";
import { applicationName, identifier, instant } from "./primitives.ts";

/** What a key may do: everything, or what an application's front end needs. */
export const keyRole = z.enum(["admin", "client"]);
export type KeyRole = z.infer<typeof keyRole>;

/** What a client key may be allowed beyond its role. Keys themselves and imports stay with admin keys. */
export const keyScopes = [
  /** Profiles and histories of anyone, and the list of people. */
  "people:read",
  /** Create, change and erase people. */
  "people:write",
  /** Products and their pictures, one by one and in bulk. */
  "products:write",
  /** History in bulk. */
  "events:import",
  /** Register models, and say which serves. */
  "models:manage",
  /** Tokens for people. */
  "tokens:issue",
] as const;
export const keyScope = z.enum(keyScopes);
export type KeyScope = z.infer<typeof keyScope>;

const newKey = z.strictObject({
  name: z.string().min(1).max(64).default("key"),
  application: applicationName.optional(),
});
const clientScopes = z
  .array(keyScope)
  .max(keyScopes.length)
  .default([])
  .transform((scopes) => [...new Set(scopes)]);
/** An admin key may do everything: there is nothing to widen. */
const noScopes = z.array(keyScope).max(0, "are for client keys: an admin key may do everything").default([]);

/** A new key. `application` other than the caller's own is open to the development key alone. */
export const keyInput = z.discriminatedUnion("role", [
  newKey.extend({ role: z.literal("client"), scopes: clientScopes }),
  newKey.extend({ role: z.literal("admin"), scopes: noScopes }),
]);
export type KeyInput = z.infer<typeof keyInput>;

/** A key as it is listed: never the key itself, of which only a hash is stored. */
export const keyRecord = z.object({
  id: identifier,
  application: applicationName,
  role: keyRole,
  name: z.string(),
  scopes: z.array(keyScope),
  createdAt: instant,
  revokedAt: instant.nullable(),
  /** When a key that was rotated ends; null for one that was not. */
  expiresAt: instant.nullable(),
  /** To within an hour; null for a key that was never used. */
  lastUsedAt: instant.nullable(),
});
export type KeyRecord = z.infer<typeof keyRecord>;

/** The answer to a creation, the only time that the key is shown. */
export const createdKey = keyRecord.extend({ key: z.string() });
export type CreatedKey = z.infer<typeof createdKey>;

/** For how many seconds a rotated key works on: none to a week, an hour unless told. */
export const keyRotation = z.strictObject({
  overlapSeconds: z
    .number()
    .int()
    .min(0)
    .max(7 * 86_400)
    .default(3600),
});
export type KeyRotation = z.infer<typeof keyRotation>;

/** The answer to a rotation: the new key, and when the one that it replaces ends. */
export const rotatedKey = createdKey.extend({
  replaces: z.object({ id: identifier, expiresAt: instant }),
});
export type RotatedKey = z.infer<typeof rotatedKey>;

/** A token for one person; `ttlSeconds` from a minute to a day. */
export const tokenInput = z.strictObject({
  userId: identifier,
  ttlSeconds: z.number().int().min(60).max(86_400).default(3600),
});
export type TokenInput = z.infer<typeof tokenInput>;

export const issuedToken = z.object({ token: z.string(), userId: identifier, expiresAt: instant });
export type IssuedToken = z.infer<typeof issuedToken>;
