import type { MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";

type Options = NonNullable<Parameters<typeof secureHeaders>[0]>;
type Policy = NonNullable<Options["contentSecurityPolicy"]>;

/** Nothing may be loaded, nothing may be sent, nobody may frame it. */
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
    // The API answers whoever has a key, from any page that may read it; images are public.
    crossOriginResourcePolicy: "cross-origin",
    permissionsPolicy: { camera: [], geolocation: [], microphone: [], payment: [], usb: [] },
    // A route that knows better has the last word.
    overwrite: false,
  });

/** Headers of every answer. Data is no page: opened as one, it runs and loads nothing. */
export const securityHeaders: MiddlewareHandler = headers({ ...denyAll, sandbox: [] });

/**
 * Headers of the project's own pages, which load their own files, call their own origin (the WebSocket included), and
 * never make markup of texts. By route, since a 304 tells no content type and its headers replace those that are kept.
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
