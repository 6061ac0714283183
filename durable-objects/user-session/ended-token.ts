import type { Requester } from "../../shared/contracts/requester.ts";
import { refuse } from "../../shared/contracts/result.ts";

/** The refusal of a user token that was issued before its user was erased or merged. */
const endedToken = refuse(
  "unauthorized",
  "The token was issued before its user was erased or merged into another one, and ended with that; get a new one.",
);

/**
 * Returns the refusal of a requester whose token was issued at or before `erasedAt`, when the user was last erased, in
 * seconds since the epoch; null for other requesters, and for a user who was never erased.
 */
export const refuseEndedToken = ({ tokenIssuedAt }: Requester, erasedAt: number | null) =>
  erasedAt !== null && tokenIssuedAt !== null && tokenIssuedAt <= erasedAt ? endedToken : null;
