import type { MiddlewareHandler } from "hono";
import type { GatewayContext } from "../context.ts";
import { logUnexpectedError } from "../errors/problem-response.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import type { Authenticator } from "../keys/authenticator.ts";
import { type AccessLevel, mayCall } from "../keys/caller.ts";
import { credentialOf } from "../keys/credential.ts";

/** What front ends ask all the time; anything else weighs enough to look its key up. */
const cacheable = new Set<AccessLevel>(["client", "anyone", "self"]);

/**
 * 401 without a valid credential, before anything of the body is read. A revoked key opens nothing beyond the everyday
 * from the moment of its revocation.
 */
export const authenticate =
  (authenticator: Authenticator, access: AccessLevel): MiddlewareHandler<GatewayContext> =>
  async (c, next) => {
    const credential = credentialOf(c.req.raw.headers);
    if (credential === null)
      throwRefusal("unauthorized", "This call needs a credential: Authorization: Bearer ...");
    const caller = await authenticator
      .identify(credential, !cacheable.has(access))
      .catch((error: unknown) => {
        logUnexpectedError(error, c.var.requestId);
        throwRefusal("unavailable", "Credentials cannot be checked now.", { retryAfter: 1 });
      });
    if (caller === null) throwRefusal("unauthorized", "The credential is not valid.");
    c.set("caller", caller);
    await next();
  };

/** 403 outside the credential's scope, before anything of the body is read. */
export const authorize =
  (access: AccessLevel): MiddlewareHandler<GatewayContext> =>
  async (c, next) => {
    if (!mayCall(c.var.caller, access, c.req.param("id")))
      throwRefusal("forbidden", "The credential's scope does not cover this call.");
    await next();
  };
