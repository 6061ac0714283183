import { type Refusal, type RefusalCode, RefusalError } from "../../../shared/contracts/result.ts";

/** Throws a refusal. The application's error handler turns it into a problem response. */
export function throwRefusal(
  code: RefusalCode,
  detail: string,
  options: Omit<Refusal, "code" | "detail"> = {},
): never {
  throw new RefusalError({ code, detail, ...options }, "the gateway");
}
