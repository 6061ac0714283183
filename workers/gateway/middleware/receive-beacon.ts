import type { MiddlewareHandler } from "hono";
import type { GatewayContext } from "../context.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import type { MinBodyRate } from "../request/body-chunks.ts";
import { isJson, mediaTypeOf } from "../request/media-type.ts";
import { whyNotJson } from "../request/not-json.ts";
import { type AllowedOrigins, requireAllowedOrigin } from "./cross-origin.ts";
import { receiveBody } from "./receive-body.ts";

/** Browsers send at most 64 KiB by `navigator.sendBeacon`. */
const maxBeaconBytes = 64 * 1024;
const noToken =
  "This operation needs a credential: send Authorization: Bearer <key or token>, or, as a beacon, a JSON object whose " +
  "`token` is a user token.";

/** Removes the token from a beacon's body. Returns both, or null if the body is no JSON object with a token. */
function splitToken(text: string): { token: string; rest: object } | null {
  // The error does not quote the body, which may be a credential.
  if (whyNotJson(text) !== null)
    throwRefusal("invalid_input", "The body is not JSON.", {
      issues: [{ path: "", message: "is not JSON" }],
    });
  const body: unknown = JSON.parse(text);
  if (typeof body !== "object" || body === null || !("token" in body)) return null;
  const { token, ...rest } = body;
  return typeof token === "string" && token !== "" ? { token, rest } : null;
}

/**
 * Turns a request of `navigator.sendBeacon` into one with a credential and a JSON body. A page that is being left can send
 * no headers of its own, so the body holds the credential as `token`. The content type is `text/plain` for a text, and JSON for
 * a `Blob` of that type. The token is taken out of the body, so that no error quotes it. CORS does not
 * stop such a request, so its origin is checked here.
 */
export const receiveBeacon =
  (minRate: MinBodyRate, origins: AllowedOrigins): MiddlewareHandler<GatewayContext> =>
  async (c, next) => {
    const { headers } = c.req.raw;
    const isBeacon = mediaTypeOf(headers) === "text/plain" || isJson(headers);
    if (headers.has("authorization") || !isBeacon || !c.req.raw.body) return next();
    const asJson = new Headers(headers);
    const type = headers.get("content-type") ?? "";
    asJson.set("content-type", type.replace(/^\s*text\/plain/i, "application/json"));
    c.req.raw = new Request(c.req.raw, { headers: asJson });
    await requireAllowedOrigin(origins)(c, async () => undefined);
    await receiveBody(maxBeaconBytes, minRate)(c, async () => undefined);
    const split = splitToken(await c.req.text());
    if (!split) throwRefusal("unauthorized", noToken);
    asJson.delete("content-encoding");
    asJson.delete("content-length");
    c.req.bodyCache = {};
    c.req.raw = new Request(c.req.url, {
      method: c.req.method,
      headers: asJson,
      body: JSON.stringify(split.rest),
    });
    c.set("bodyCredential", split.token);
    await next();
  };
