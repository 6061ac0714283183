import type { MiddlewareHandler } from "hono";
import type { GatewayContext } from "../context.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import { isJson } from "../request/media-type.ts";

/**
 * 400 without a body, 415 for one that is not announced as JSON: the validator takes either for an empty object, which
 * would replace a profile by its defaults.
 */
export const requireJson: MiddlewareHandler<GatewayContext> = async (c, next) => {
  if (!c.req.raw.body)
    throwRefusal("invalid_input", "This call takes a body.", {
      issues: [{ path: "", message: "is missing" }],
    });
  if (!isJson(c.req.raw.headers))
    throwRefusal("unsupported_media_type", "The body's content type is not application/json.");
  await next();
};
