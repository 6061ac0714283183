import type { MiddlewareHandler } from "hono";
import type { GatewayContext } from "../context.ts";
import type { Authenticator } from "../keys/authenticator.ts";
import { type Access, mayCall } from "../keys/caller.ts";
import { credentialOf } from "../keys/credential.ts";
import { deny } from "../refused.ts";

/** 401 without a valid credential, 403 outside its scope; both before anything of the body is read. */
export const authorize =
  (authenticator: Authenticator, access: Access): MiddlewareHandler<GatewayContext> =>
  async (c, next) => {
    const credential = credentialOf(c.req.raw.headers);
    if (credential === null) deny("unauthorized", "This call needs a credential: Authorization: Bearer ...");
    const caller = await authenticator.identify(credential);
    if (caller === null) deny("unauthorized", "The credential is not valid.");
    c.set("caller", caller);
    if (!mayCall(caller, access, c.req.param("id")))
      deny("forbidden", "The credential's scope does not cover this call.");
    await next();
  };
