import type { MiddlewareHandler } from "hono";
import type { GatewayContext } from "../context.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import { isJson } from "../request/media-type.ts";

/**
 * Answers 400 without a body, and 415 for a body whose content type is not JSON. The validator would treat either as an
 * empty object, and `PUT` would replace a profile by its defaults.
 */
export const requireJson: MiddlewareHandler<GatewayContext> = async (c, next) => {
  if (!c.req.raw.body)
    throwRefusal("invalid_input", "This operation needs a JSON body.", {
      issues: [{ path: "", message: "is missing" }],
    });
  if (!isJson(c.req.raw.headers))
    throwRefusal("unsupported_media_type", "The body's content type must be application/json.");
  await next();
};
