import { type KeyScope, keyScopes } from "../../../shared/contracts/credential.ts";

/** Who a credential belongs to, and what they may do; a person also until when, in seconds since the epoch. */
export type Caller =
  | { kind: "admin"; application: string; keyId: string; development: boolean }
  | {
      kind: "client";
      application: string;
      keyId: string;
      development: boolean;
      scopes: readonly KeyScope[];
    }
  | { kind: "person"; application: string; userId: string; expiresAt: number };

/**
 * Who may call an operation. `admin`: admin keys. A scope: and client keys that have it. `client`: and all
 * client keys. `anyone`: and tokens of people. `self`: and the token of the very person in the path.
 * `own`: client keys that have `people:read`, and the token of the very person in the path.
 */
export type AccessLevel = "admin" | KeyScope | "client" | "anyone" | "self" | "own";
export const accessLevels = [
  "admin",
  ...keyScopes,
  "client",
  "anyone",
  "self",
  "own",
] as const satisfies readonly AccessLevel[];

/** Whether a caller may do what is open to `access`; `userId` is the person in the path. */
export function mayCall(caller: Caller, access: AccessLevel, userId: string | undefined): boolean {
  if (caller.kind === "admin") return true;
  switch (access) {
    case "admin":
      return false;
    case "client":
      return caller.kind === "client";
    case "anyone":
      return true;
    case "self":
      return caller.kind === "client" || caller.userId === userId;
    case "own":
      return caller.kind === "client" ? caller.scopes.includes("people:read") : caller.userId === userId;
    default:
      return caller.kind === "client" && caller.scopes.includes(access);
  }
}

/** Whether a caller may act for a person. */
export const mayActFor = (caller: Caller, userId: string): boolean =>
  caller.kind !== "person" || caller.userId === userId;
