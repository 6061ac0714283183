import type * as z from "zod";
import { developmentKey } from "../../scripts/start/development-key.ts";
import { ndjsonHeaders } from "../support/ndjson.ts";

/**
 * Calls an endpoint with the development key. A text as body is sent as NDJSON, an object as JSON. Returns the parsed body;
 * throws an error on a status outside 200 to 299.
 */
export async function callApi<S extends z.ZodType>(
  url: string,
  schema: S,
  method: string,
  path: string,
  body?: object | string,
): Promise<z.infer<S>> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${developmentKey}`,
      ...(typeof body === "string" ? ndjsonHeaders : { "content-type": "application/json" }),
    },
    body: typeof body === "object" ? JSON.stringify(body) : body,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} failed with status ${response.status}: ${text}`);
  return schema.parse(JSON.parse(text));
}
