import { throwRefusal } from "../errors/throw-refusal.ts";

/** Returns the media type of a content type, in lower case and without parameters; "" without a content type. */
export const mediaTypeOf = (headers: Headers): string =>
  headers.get("content-type")?.split(";")[0].trim().toLowerCase() ?? "";

/** Returns whether the content type is `application/json` or another JSON type such as `application/ld+json`. */
export const isJson = (headers: Headers): boolean =>
  /^application\/([\w.-]+\+)?json$/.test(mediaTypeOf(headers));

/** Names of UTF-8 and of ASCII, which is a part of it. */
const acceptedCharsets = ["utf-8", "utf8", "us-ascii", "ascii"];

/** Refuses a content type that names another charset than UTF-8. Texts without a charset are read as UTF-8. */
export function requireUtf8Charset(headers: Headers): void {
  const charset =
    /;\s*charset\s*=\s*["']?([^"';]*)/i.exec(headers.get("content-type") ?? "")?.[1].trim() ?? "";
  if (charset !== "" && !acceptedCharsets.includes(charset.toLowerCase()))
    throwRefusal(
      "unsupported_media_type",
      `The body must be UTF-8; the content type names the charset ${JSON.stringify(charset)}. Send it as UTF-8.`,
    );
}
