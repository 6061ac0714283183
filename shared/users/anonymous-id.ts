import { base64urlOf } from "../encoding/base64url.ts";

const prefix = "anon-";
const idBytes = 16;

/** Returns the id of a new anonymous user: `anon-` and 22 characters of base64url, which hold 128 random bits. */
export const newAnonymousId = (randomBytes: (count: number) => Uint8Array): string =>
  prefix + base64urlOf(randomBytes(idBytes));

/** Returns whether an id is one of {@link newAnonymousId}: whoever knows it has it from the session. */
export const isAnonymousId = (userId: string): boolean => /^anon-[A-Za-z0-9_-]{22}$/.test(userId);
