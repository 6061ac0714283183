import type { z } from "zod";
import { developmentKey } from "../../scripts/start/serve.ts";

/** Calls an endpoint with the development key. Returns the body, parsed; throws on a status of 300 or above. */
export async function callApi<S extends z.ZodType>(
  url: string,
  schema: S,
  method: string,
  path: string,
  body?: object,
): Promise<z.infer<S>> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${developmentKey}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} failed with status ${response.status}: ${text}`);
  return schema.parse(JSON.parse(text));
}
