import type { MiddlewareHandler } from "hono";
import type { GatewayContext } from "../context.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import type { MinBodyRate } from "../request/body-chunks.ts";
import { decodeUtf8 } from "../request/decode-utf8.ts";
import { decodedChunks } from "../request/decoded-chunks.ts";
import { isJson, requireUtf8Charset } from "../request/media-type.ts";
import { exceedsNestingDepth, maxNestingDepth } from "../request/nesting-depth.ts";
import { isSmallBody, readSmallBody } from "../request/small-body.ts";

/**
 * The usual content types of JSON, which the validator of bodies accepts. It refuses others, such as `application/json;` or
 * `application/vnd.shop2+json`, so these are replaced.
 */
const plainJsonType = /^application\/json(; ?charset=[\w-]+)?$/i;

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
 * Reads the whole body before the handler runs, and decompresses it. Answers 413 for more than `maxBytes`, at once where
 * `content-length` announces them, and as soon as the decompressed bytes exceed them. Answers 408 for a body that arrives
 * slower than `minRate`, and 400 for JSON that is not UTF-8 or nests too deep.
 */
export const receiveBody =
  (maxBytes: number, minRate: MinBodyRate): MiddlewareHandler<GatewayContext> =>
  async (c, next) => {
    const { raw } = c.req;
    const { headers, body: stream } = raw;
    if (!stream) return next();
    if (isJson(headers)) requireUtf8Charset(headers);
    const announced = Number(raw.headers.get("content-length") ?? 0);
    if (announced > maxBytes) throwTooLarge(maxBytes);
    const body = isSmallBody(headers)
      ? await readSmallBody(raw, minRate)
      : await readBody(decodedChunks({ headers, body: stream }, minRate), announced, maxBytes);
    if (body.byteLength > maxBytes) throwTooLarge(maxBytes);
    if (isJson(headers)) {
      const decoded = decodeUtf8(new Uint8Array(body));
      if ("problem" in decoded)
        throwRefusal("invalid_input", `The body ${decoded.problem}.`, {
          issues: [{ path: "", message: decoded.problem }],
        });
      const { text } = decoded;
      if (exceedsNestingDepth(text))
        throwRefusal(
          "invalid_input",
          `The body nests deeper than the ${maxNestingDepth} levels that are allowed.`,
        );
      if (!plainJsonType.test(headers.get("content-type") ?? "")) {
        const plainHeaders = new Headers(headers);
        plainHeaders.set("content-type", "application/json");
        c.req.raw = new Request(raw, { body: text, headers: plainHeaders });
      }
      // Handlers of JSON read only the text, so the text is cached. A new Request would copy all headers and `cf` data.
      Object.assign(c.req.bodyCache, { text: Promise.resolve(text) });
    } else {
      const decodedHeaders = new Headers(headers);
      decodedHeaders.delete("content-encoding");
      c.req.raw = new Request(raw, { body, headers: decodedHeaders });
    }
    await next();
  };
