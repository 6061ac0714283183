import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { Problem } from "../../../shared/contracts/problem.ts";
import { type Refusal, type RefusalCode, RefusalError } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import type { GatewayContext } from "../context.ts";
import { toProblem } from "./problem.ts";

type GatewayRequest = Context<GatewayContext>;

function respond(c: GatewayRequest, problem: Problem, headers: Record<string, string>): Response {
  c.var.figures.code = problem.code;
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { "content-type": "application/problem+json", ...headers },
  });
}

/** The answer for a refusal. */
export function refusalResponse(c: GatewayRequest, refusal: Refusal): Response {
  const headers: Record<string, string> = {};
  if (refusal.code === "unauthorized") headers["www-authenticate"] = "Bearer";
  if (refusal.retryAfter !== undefined) headers["retry-after"] = String(Math.ceil(refusal.retryAfter));
  return respond(c, toProblem(refusal, c.var.requestId), headers);
}

/** The path exists, this method of it does not. */
export function methodNotAllowedResponse(c: GatewayRequest, methods: string[]): Response {
  const allow = methods.join(", ");
  const refusal: Refusal = { code: "method_not_allowed", detail: `This path answers ${allow}.` };
  return respond(c, toProblem(refusal, c.var.requestId), { allow });
}

/** A problem of the connection, which no worker behind the gateway can have. */
function connectionProblem(
  c: GatewayRequest,
  problem: Pick<Problem, "code" | "status" | "title" | "detail">,
  headers: Record<string, string> = {},
): Response {
  const type = `urn:vicinity:problem:${problem.code}`;
  return respond(c, { type, ...problem, requestId: c.var.requestId }, headers);
}

/** The path speaks WebSocket only. */
export const upgradeRequiredResponse = (c: GatewayRequest): Response =>
  connectionProblem(
    c,
    {
      code: "upgrade_required",
      status: 426,
      title: "Upgrade required",
      detail: "This path is a WebSocket: send an upgrade request.",
    },
    { upgrade: "websocket", connection: "upgrade" },
  );

/** The body did not come in time. The runtime closes the connection, since the rest of the body is still due. */
const requestTimeoutResponse = (c: GatewayRequest): Response =>
  connectionProblem(c, {
    code: "request_timeout",
    status: 408,
    title: "Request timeout",
    detail: "The body came too slowly; of lines, those before may have been handled.",
  });

const codeByStatus: Record<number, RefusalCode> = {
  400: "invalid_input",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  413: "too_large",
  415: "unsupported_media_type",
};

const detailByStatus: Record<number, string> = {
  413: "The body is larger than this call takes.",
  415: "The body's content type is not one that this call takes.",
};

/** The platform marks errors that a later attempt may not meet. */
const isTransient = (error: Error): boolean =>
  ("retryable" in error && error.retryable === true) || ("overloaded" in error && error.overloaded === true);

/** An error and its frames, without the values of a query that stand between them. */
const loggableText = (error: Error): string =>
  [errorText(error), ...(error.stack ?? "").split("\n").filter((line) => /^ +at /.test(line))].join("\n");

/** Writes down an error that no answer tells of. */
export function logUnexpectedError(error: unknown, requestId = ""): void {
  const text = error instanceof Error ? loggableText(error) : typeof error;
  console.error(JSON.stringify({ message: "unexpected error", requestId, error: text }));
}

/** Any error to its one answer; what is not a refusal is a bug, logged with its request's id and never shown. */
export function errorResponse(c: GatewayRequest, error: Error): Response {
  if (error instanceof RefusalError) return refusalResponse(c, error.refusal);
  if (error instanceof HTTPException) {
    if (error.status === 408) return requestTimeoutResponse(c);
    const code = codeByStatus[error.status] ?? "internal";
    return refusalResponse(c, { code, detail: detailByStatus[error.status] ?? error.message });
  }
  logUnexpectedError(error, c.var.requestId);
  return refusalResponse(
    c,
    isTransient(error)
      ? { code: "unavailable", detail: "A part of the service cannot be reached now.", retryAfter: 1 }
      : { code: "internal", detail: "Something went wrong on our side." },
  );
}
