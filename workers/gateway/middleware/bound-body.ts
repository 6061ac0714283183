import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { deny } from "../refused.ts";

/** 413 for a body of more than `bytes`: at once where its length is announced, else when it gets there. */
export const boundBody = (bytes: number): MiddlewareHandler =>
  bodyLimit({
    maxSize: bytes,
    onError: () => deny("too_large", `The body is larger than the ${bytes} bytes that this call takes.`),
  });
