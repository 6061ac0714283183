import type { MiddlewareHandler } from "hono";
import type { GatewayContext } from "../context.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import { bodyChunks, type MinBodyRate } from "../request/body-chunks.ts";
import { isJson } from "../request/media-type.ts";
import { exceedsNestingDepth, maxNestingDepth } from "../request/nesting-depth.ts";

const throwTooLarge = (maxBytes: number): never =>
  throwRefusal("too_large", `The body is larger than the ${maxBytes} bytes that this call takes.`);

/** All bytes of a body, of which `expected` are announced; 413 as soon as they are more than `most`. */
async function readBody(
  chunks: AsyncIterable<Uint8Array>,
  announcedBytes: number,
  maxBytes: number,
): Promise<ArrayBuffer> {
  let buffer = new ArrayBuffer(announcedBytes);
  let size = 0;
  for await (const chunk of chunks) {
    const end = size + chunk.byteLength;
    if (end > maxBytes) throwTooLarge(maxBytes);
    if (end > buffer.byteLength) buffer = buffer.transfer(Math.min(maxBytes, Math.max(end, 2 * size)));
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
  (maxBytes: number, minRate: MinBodyRate): MiddlewareHandler<GatewayContext> =>
  async (c, next) => {
    const { raw } = c.req;
    if (!raw.body) return next();
    const announced = Number(raw.headers.get("content-length") ?? 0);
    if (announced > maxBytes) throwTooLarge(maxBytes);
    const body = await readBody(bodyChunks(raw.body, minRate), announced, maxBytes);
    if (isJson(raw.headers)) {
      const text = new TextDecoder().decode(body);
      if (exceedsNestingDepth(text))
        throwRefusal("invalid_input", `The body nests deeper than ${maxNestingDepth} levels.`);
      // A request made anew would copy headers and all that the edge knows: the text alone is what handlers ask for.
      Object.assign(c.req.bodyCache, { text: Promise.resolve(text) });
    } else c.req.raw = new Request(raw, { body });
    await next();
  };
