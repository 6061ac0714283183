import type { KeyScope } from "../../../shared/contracts/credential.ts";
import { type Requester, trustedRequester } from "../../../shared/contracts/requester.ts";
import type { Caller } from "./caller.ts";

/** Returns whether a caller may do for every user what a scope of server keys allows. */
const hasScope = (caller: Caller, scope: KeyScope): boolean =>
  caller.kind === "admin" || (caller.kind === "server" && caller.scopes.includes(scope));

/** Returns what the services need to know of a caller. A user may know all about themselves. */
export const requesterOf = (caller: Caller): Requester => ({
  ...trustedRequester,
  mayKnowPlace: caller.kind === "user" || hasScope(caller, "locations:read"),
  mayReadHistory: caller.kind === "user" || hasScope(caller, "people:read"),
  tokenIssuedAt: caller.kind === "user" ? caller.issuedAt : null,
});
