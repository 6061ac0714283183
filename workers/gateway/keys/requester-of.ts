import type { KeyScope } from "../../../shared/contracts/credential.ts";
import { type Requester, trustedRequester } from "../../../shared/contracts/requester.ts";
import { isAnonymousId } from "../../../shared/users/anonymous-id.ts";
import type { Caller } from "./caller.ts";

/** Returns whether a caller may do for every user what a scope of server keys allows. */
const hasScope = (caller: Caller, scope: KeyScope): boolean =>
  caller.kind === "admin" || (caller.kind === "server" && caller.scopes.includes(scope));

/** Returns whether a key may read the profile and the history of every user. */
export const mayReadProfiles = (caller: Caller): boolean => hasScope(caller, "people:read");

const scopesToMergeAnyUser: readonly KeyScope[] = ["people:read", "locations:read", "people:write"];

/**
 * Returns whether a key may merge the user `from` into another one without the token of `from`. The other one's token
 * then reads all that `from` has, and `from` is gone. So it takes the scopes for both, unless `from` is the user of an
 * anonymous session and the other one is known: nobody holds a token of that one who could not have any user's.
 */
export const mayMergeByKey = (caller: Caller, from: string, into: string): boolean =>
  scopesToMergeAnyUser.every((scope) => hasScope(caller, scope)) ||
  (hasScope(caller, "people:write") && isAnonymousId(from) && !isAnonymousId(into));

/** Returns what the services need to know of a caller. A user may know all about themselves. */
export function requesterOf(caller: Caller): Requester {
  if (caller.kind !== "user")
    return {
      ...trustedRequester,
      mayKnowPlace: hasScope(caller, "locations:read"),
      mayReadHistory: mayReadProfiles(caller),
    };
  const { session, issuedAt } = caller;
  return {
    ...trustedRequester,
    isVouched: session === null,
    tokenIssuedAt: issuedAt,
    network: session?.network ?? null,
  };
}
