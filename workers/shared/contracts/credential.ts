import { z } from "zod";
import { applicationName, identifier, instant } from "./primitives.ts";

/** What a key may do: everything, or what an application's front end needs. */
export const keyRole = z.enum(["admin", "client"]);
export type KeyRole = z.infer<typeof keyRole>;

/** A new key. `application` other than the caller's own is open to the development key alone. */
export const keyInput = z.strictObject({
  role: keyRole,
  name: z.string().min(1).max(64).default("key"),
  application: applicationName.optional(),
});
export type KeyInput = z.infer<typeof keyInput>;

/** A key as it is listed: never the key itself, of which only a hash is stored. */
export const keyRecord = z.object({
  id: identifier,
  application: applicationName,
  role: keyRole,
  name: z.string(),
  createdAt: instant,
  revokedAt: instant.nullable(),
});
export type KeyRecord = z.infer<typeof keyRecord>;

/** The answer to a creation, the only time that the key is shown. */
export const createdKey = keyRecord.extend({ key: z.string() });
export type CreatedKey = z.infer<typeof createdKey>;

/** A token for one person; `ttlSeconds` from a minute to a day. */
export const tokenInput = z.strictObject({
  userId: identifier,
  ttlSeconds: z.number().int().min(60).max(86_400).default(3600),
});
export type TokenInput = z.infer<typeof tokenInput>;

export const issuedToken = z.object({ token: z.string(), userId: identifier, expiresAt: instant });
export type IssuedToken = z.infer<typeof issuedToken>;
