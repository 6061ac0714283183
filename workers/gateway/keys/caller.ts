import { type KeyScope, keyScopes } from "../../../shared/contracts/credential.ts";
import type { VerifiedToken } from "./tokens.ts";

/** What is known of the key of a request. */
interface KeyCaller {
  application: string;
  keyId: string;
  /** When the key stops working, in seconds since the Unix epoch; null for a key that was not rotated. */
  keyExpiresAt: number | null;
  development: boolean;
}

/** The user of a token. */
export interface UserCaller extends VerifiedToken {
  kind: "user";
  /** When the key that issued the token stops working, in seconds since the Unix epoch; null if it was not rotated. */
  keyExpiresAt: number | null;
}

/** Whom a credential identifies: an admin key, a server key, a publishable key, or the user of a token. */
export type Caller =
  | ({ kind: "admin" | "publishable" } & KeyCaller)
  | ({ kind: "server"; scopes: readonly KeyScope[] } & KeyCaller)
  | UserCaller;

/**
 * Who may call an operation. Admin keys may call every operation but those of level `session`; a level says who else may.
 *
 * - `admin`: nobody else
 * - a scope: server keys that have the scope
 * - `server`: all server keys
 * - `anyone`: all keys, publishable ones too, and all tokens
 * - `user`: all server keys and all tokens; the operation checks that the users in its body are the token's own
 * - `key`: all keys, publishable ones too, and no token
 * - `session`: tokens of anonymous sessions, and nobody else
 * - `self`: all server keys, and tokens of the user in the path
 * - `own`: server keys that have `people:read`, and tokens of the user in the path
 * - `change`: server keys that have `people:write`, and tokens of the user in the path
 */
export type AccessLevel =
  | "admin"
  | KeyScope
  | "server"
  | "anyone"
  | "user"
  | "key"
  | "session"
  | "self"
  | "own"
  | "change";
export const accessLevels = [
  "admin",
  ...keyScopes,
  "server",
  "anyone",
  "user",
  "key",
  "session",
  "self",
  "own",
  "change",
] as const satisfies readonly AccessLevel[];

const accessTexts: Record<Exclude<AccessLevel, KeyScope>, string> = {
  admin: "Requires an admin key.",
  server: "Requires an admin or server key.",
  anyone: "Requires any key or token.",
  user: "Requires an admin key, a server key, or a token of the user in the body.",
  key: "Requires any key; a publishable key is enough.",
  session: "Requires the token of an anonymous session.",
  self: "Requires an admin key, a server key, or the user's own token.",
  own: "Requires an admin key, a server key with `people:read`, or the user's own token.",
  change: "Requires an admin key, a server key with `people:write`, or the user's own token.",
};

/** Returns whether an access level is a scope of server keys. */
export const isKeyScope = (access: AccessLevel): access is KeyScope =>
  keyScopes.some((scope) => scope === access);

/** Returns a sentence that says which credentials an access level requires. */
export const describeAccess = (access: AccessLevel): string =>
  isKeyScope(access) ? `Requires an admin key, or a server key with \`${access}\`.` : accessTexts[access];

const isUser = (caller: Caller, userId: string | undefined): boolean =>
  caller.kind === "user" && caller.userId === userId;

/** Returns whether a caller may call an operation of an access level; `userId` is the user in the operation's path. */
export function mayCall(caller: Caller, access: AccessLevel, userId: string | undefined): boolean {
  if (access === "session") return caller.kind === "user" && caller.session !== null;
  if (caller.kind === "admin") return true;
  switch (access) {
    case "admin":
      return false;
    case "server":
      return caller.kind === "server";
    case "anyone":
      return true;
    case "user":
      return caller.kind === "server" || caller.kind === "user";
    case "key":
      return caller.kind !== "user";
    case "self":
      return caller.kind === "server" || isUser(caller, userId);
    case "own":
      return (caller.kind === "server" && caller.scopes.includes("people:read")) || isUser(caller, userId);
    case "change":
      return (caller.kind === "server" && caller.scopes.includes("people:write")) || isUser(caller, userId);
    default:
      return caller.kind === "server" && caller.scopes.includes(access);
  }
}

/** Returns whether a caller may act for a user: admin and server keys may for all, a token may for its own user. */
export const mayActFor = (caller: Caller, userId: string): boolean =>
  caller.kind === "admin" || caller.kind === "server" || isUser(caller, userId);
