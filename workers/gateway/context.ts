import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Stage } from "../../shared/contracts/recommendation.ts";
import type { Caller } from "./keys/caller.ts";

/** What the answer to a request tells analytics beside its status. */
export interface RequestFigures {
  modelVersion: string;
  candidates: number;
  stages: Stage[];
  /** Code of the refusal, if it is one. */
  code: string;
}

/** What middleware leaves for those after it; `caller` only where an operation is guarded. */
export interface GatewayContext {
  Variables: {
    requestId: string;
    figures: RequestFigures;
    caller: Caller;
    /** The rate limit's headers. */
    rateLimitHeaders: Record<string, string>;
  };
}

export type Gateway = OpenAPIHono<GatewayContext>;
