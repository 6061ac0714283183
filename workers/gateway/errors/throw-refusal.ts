import { type Refusal, type RefusalCode, RefusalError } from "../../../shared/contracts/result.ts";

/** Ends a request with a refusal, from wherever a handler is; the application's error handler turns it into the answer. */
export function throwRefusal(
  code: RefusalCode,
  detail: string,
  more: Omit<Refusal, "code" | "detail"> = {},
): never {
  throw new RefusalError({ code, detail, ...more }, "the gateway");
}
