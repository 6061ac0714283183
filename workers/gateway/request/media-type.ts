/** Returns whether the content type is `application/json` or another JSON type such as `application/ld+json`. */
export const isJson = (headers: Headers): boolean =>
  /^application\/([\w.-]+\+)?json\s*(;|$)/i.test(headers.get("content-type")?.trim() ?? "");
