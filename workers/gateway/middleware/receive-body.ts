import type { MiddlewareHandler } from "hono";
import type { GatewayContext } from "../context.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import { bodyChunks, type MinBodyRate } from "../request/body-chunks.ts";
import { isJson } from "../request/media-type.ts";
import { exceedsNestingDepth, maxNestingDepth } from "../request/nesting-depth.ts";

const throwTooLarge = (maxBytes: number): never =>
  throwRefusal("too_large", `The body is larger than the ${maxBytes} bytes that this operation allows.`);

/**
 * Returns all bytes of a body. `announcedBytes` is its `content-length`, by which the buffer is sized. Refuses
 * `too_large` as soon as more than `maxBytes` arrived.
 */
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
 * Reads the whole body before the handler runs. Answers 413 for more than `maxBytes`, at once where `content-length`
 * announces them. Answers 408 for a body that arrives slower than `minRate`, and 400 for JSON that nests too deep.
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
        throwRefusal(
          "invalid_input",
          `The body nests deeper than the ${maxNestingDepth} levels that are allowed.`,
        );
      // Handlers of JSON read only the text, so the text is cached. A new Request would copy all headers and `cf` data.
      Object.assign(c.req.bodyCache, { text: Promise.resolve(text) });
    } else c.req.raw = new Request(raw, { body });
    await next();
  };
