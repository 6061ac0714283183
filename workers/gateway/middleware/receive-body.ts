import type { MiddlewareHandler } from "hono";
import type { GatewayContext } from "../context.ts";
import { deny } from "../errors/deny.ts";
import { type BodyRate, bodyChunks } from "../request/body-chunks.ts";
import { isJson } from "../request/media-type.ts";
import { deepest, nestsBeyond } from "../request/nesting.ts";

const tooLarge = (most: number): never =>
  deny("too_large", `The body is larger than the ${most} bytes that this call takes.`);

/** All bytes of a body, of which `expected` are announced; 413 as soon as they are more than `most`. */
async function whole(
  chunks: AsyncIterable<Uint8Array>,
  expected: number,
  most: number,
): Promise<ArrayBuffer> {
  let buffer = new ArrayBuffer(expected);
  let size = 0;
  for await (const chunk of chunks) {
    const end = size + chunk.byteLength;
    if (end > most) tooLarge(most);
    if (end > buffer.byteLength) buffer = buffer.transfer(Math.min(most, Math.max(end, 2 * size)));
    new Uint8Array(buffer).set(chunk, size);
    size = end;
  }
  return size === buffer.byteLength ? buffer : buffer.transfer(size);
}

/**
 * Takes in the body before the handler sees it: 413 for one of more than `most` bytes (at once where its length is
 * announced), 408 for one that falls behind its pace, 400 for JSON that nests too deep.
 */
export const receiveBody =
  (most: number, pace: BodyRate): MiddlewareHandler<GatewayContext> =>
  async (c, next) => {
    const { raw } = c.req;
    if (!raw.body) return next();
    const announced = Number(raw.headers.get("content-length") ?? 0);
    if (announced > most) tooLarge(most);
    const body = await whole(bodyChunks(raw.body, pace), announced, most);
    if (isJson(raw.headers)) {
      const text = new TextDecoder().decode(body);
      if (nestsBeyond(text)) deny("invalid_input", `The body nests deeper than ${deepest} levels.`);
      // A request made anew would copy headers and all that the edge knows: the text alone is what handlers ask for.
      Object.assign(c.req.bodyCache, { text: Promise.resolve(text) });
    } else c.req.raw = new Request(raw, { body });
    await next();
  };
