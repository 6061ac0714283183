import type { Requester } from "../../shared/contracts/requester.ts";
import { refuse } from "../../shared/contracts/result.ts";
import { endedTokenText } from "../../shared/users/ended-token.ts";

/** The refusal of a user token that was issued before its user was erased or merged into another one. */
const endedToken = refuse("unauthorized", endedTokenText);

/**
 * Returns the refusal of a requester whose token was issued at or before `endedAt`, when the user was last erased or
 * merged, in seconds since the epoch; null for other requesters, and for a user who never was.
 */
export const refuseEndedToken = ({ tokenIssuedAt }: Requester, endedAt: number | null) =>
  endedAt !== null && tokenIssuedAt !== null && tokenIssuedAt <= endedAt ? endedToken : null;
