import type { Problem } from "../../../shared/contracts/problem.ts";
import type { Refusal, RefusalCode } from "../../../shared/contracts/result.ts";

/** HTTP status and problem title of each refusal code. */
const statusAndTitle: Record<RefusalCode, { status: number; title: string }> = {
  invalid_input: { status: 400, title: "Invalid input" },
  unauthorized: { status: 401, title: "No valid credential" },
  forbidden: { status: 403, title: "Outside the credential's scope" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  conflict: { status: 409, title: "Conflict" },
  user_merged: { status: 409, title: "User merged" },
  too_large: { status: 413, title: "Too large" },
  unsupported_media_type: { status: 415, title: "Unsupported media type" },
  nothing_accepted: { status: 422, title: "Nothing was accepted" },
  rate_limited: { status: 429, title: "Too many requests" },
  internal: { status: 500, title: "Internal error" },
  unavailable: { status: 503, title: "Unavailable" },
};

/** Returns the HTTP status of a refusal code. */
export const httpStatusOf = (code: RefusalCode): number => statusAndTitle[code].status;

/**
 * Returns the RFC 9457 problem details of a refusal. The detail of an internal error is replaced, because it may hold
 * data that the client must not see. The log has the detail under the request id.
 */
export function toProblem(refusal: Refusal, requestId: string): Problem {
  const { status, title } = statusAndTitle[refusal.code];
  return {
    type: `urn:vicinity:problem:${refusal.code}`,
    title,
    status,
    detail:
      refusal.code === "internal"
        ? "The service failed unexpectedly. Report the request id: its log entry names the cause."
        : refusal.detail,
    code: refusal.code,
    requestId,
    ...(refusal.issues ? { errors: refusal.issues } : {}),
    ...(refusal.report ? { report: refusal.report } : {}),
  };
}
