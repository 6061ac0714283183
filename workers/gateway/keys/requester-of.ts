import { type Requester, trustedRequester } from "../../../shared/contracts/requester.ts";
import type { Caller } from "./caller.ts";

/** Returns what the services need to know of a caller. */
export const requesterOf = (caller: Caller): Requester =>
  caller.kind === "user" ? { ...trustedRequester, tokenIssuedAt: caller.issuedAt } : trustedRequester;
