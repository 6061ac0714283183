import type { MiddlewareHandler } from "hono";
import type { GatewayContext } from "../context.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";

/**
 * Answers 400 for a path whose percent-encoding is not UTF-8. The router would leave such a part as it is, and so read
 * `%FF` as an id of three characters.
 */
export const requireDecodablePath: MiddlewareHandler<GatewayContext> = async (c, next) => {
  const { url } = c.req;
  try {
    // Most URLs have nothing to decode, and a URL takes longer to parse than to search.
    if (url.includes("%")) decodeURIComponent(new URL(url).pathname);
  } catch {
    throwRefusal(
      "invalid_input",
      "The path must be percent-encoded UTF-8, for example /v1/users/a%40b.com.",
      {
        issues: [{ path: "path", message: "has a % that does not begin percent-encoded UTF-8" }],
      },
    );
  }
  await next();
};
