import type { MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";

type Options = NonNullable<Parameters<typeof secureHeaders>[0]>;
type Policy = NonNullable<Options["contentSecurityPolicy"]>;

/** A policy that allows no loading, no sending and no framing. */
const denyAll: Policy = {
  defaultSrc: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
};

const headers = (contentSecurityPolicy: Policy): MiddlewareHandler =>
  secureHeaders({
    contentSecurityPolicy,
    xFrameOptions: "DENY",
    // Pages of other origins may call the API with a key, and images are public.
    crossOriginResourcePolicy: "cross-origin",
    permissionsPolicy: { camera: [], geolocation: [], microphone: [], payment: [], usb: [] },
    // A header that a route set stays.
    overwrite: false,
  });

/** Sets security headers on every response. API data that is opened as a page runs and loads nothing. */
export const securityHeaders: MiddlewareHandler = headers({ ...denyAll, sandbox: [] });

/**
 * Sets the security headers of the project's own pages. Pages load their own files, call their own origin (WebSockets
 * included), and never turn text into markup. The route sets them, not the content type: a 304 has no content type, and
 * its headers replace those in the browser's cache.
 */
export const pageHeaders: MiddlewareHandler = headers({
  ...denyAll,
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", "data:"],
  connectSrc: ["'self'"],
  requireTrustedTypesFor: ["'script'"],
  trustedTypes: ["'none'"],
});
