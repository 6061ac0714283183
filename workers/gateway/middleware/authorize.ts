import type { MiddlewareHandler } from "hono";
import { RefusalError } from "../../../shared/contracts/result.ts";
import type { GatewayContext } from "../context.ts";
import { logUnexpectedError } from "../errors/problem-response.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import type { Authenticator } from "../keys/authenticator.ts";
import { type AccessLevel, describeAccess, mayCall } from "../keys/caller.ts";
import { credentialOf } from "../keys/credential.ts";
import { limitedAddressOf } from "../request/client-network.ts";

/** Access levels of frequent calls from front ends. Only these calls may use a cached key. */
const cacheable = new Set<AccessLevel>(["server", "anyone", "user", "key", "self"]);

/**
 * Sets `caller`, or answers 401 without a valid credential, before the body is read. Operations outside `cacheable`
 * look the key up on every call, so they refuse a revoked key at once.
 */
export const authenticate =
  (authenticator: Authenticator, access: AccessLevel): MiddlewareHandler<GatewayContext> =>
  async (c, next) => {
    const { bodyCredential } = c.var;
    const credential = bodyCredential ?? credentialOf(c.req.raw.headers);
    if (credential === null)
      throwRefusal(
        "unauthorized",
        "This operation needs a credential; send Authorization: Bearer <key or token>.",
      );
    const caller = await authenticator
      .identify({
        text: credential,
        skipCache: !cacheable.has(access),
        address: limitedAddressOf(c.req.raw),
        isLocal: authenticator.isLocal(c.req.raw),
      })
      .catch((error: unknown) => {
        if (error instanceof RefusalError) throw error;
        logUnexpectedError(error, c.var.requestId);
        throwRefusal("unavailable", "The credential cannot be checked at the moment; try again.", {
          retryAfter: 1,
        });
      });
    if (caller === null)
      throwRefusal("unauthorized", "The credential is unknown, expired, revoked or malformed.");
    if (bodyCredential !== undefined && caller.kind !== "user")
      throwRefusal("forbidden", "A beacon must hold a user token: a key in a page is no secret.");
    c.set("caller", caller);
    await next();
  };

/** Answers 403 where the credential does not allow the operation, before the body is read. */
export const authorize =
  (access: AccessLevel): MiddlewareHandler<GatewayContext> =>
  async (c, next) => {
    if (!mayCall(c.var.caller, access, c.req.param("id")))
      throwRefusal(
        "forbidden",
        `The credential's scope does not cover this operation. ${describeAccess(access)}`,
      );
    await next();
  };
