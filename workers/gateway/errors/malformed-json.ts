import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { RefusalError } from "../../../shared/contracts/result.ts";
import type { GatewayContext } from "../context.ts";
import { isJson } from "../request/media-type.ts";
import { whyNotJson } from "../request/not-json.ts";

/** Returns a refusal that says why the body is not JSON, in place of the validator's error; another error as it is. */
export async function explainMalformedJson(c: Context<GatewayContext>, error: Error): Promise<Error> {
  if (!(error instanceof HTTPException) || error.status !== 400 || !isJson(c.req.raw.headers)) return error;
  const message = whyNotJson(await c.req.text());
  if (message === null) return error;
  const refusal = {
    code: "invalid_input",
    detail: `The body ${message}.`,
    issues: [{ path: "", message }],
  } as const;
  return new RefusalError({ ...refusal, issues: [...refusal.issues] }, "the gateway");
}
