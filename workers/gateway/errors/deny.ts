import type { Refusal, RefusalCode, Result } from "../../../shared/contracts/result.ts";

/** Leaves a handler with a refusal; the application's error handler makes the problem answer of it. */
export class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.detail);
    this.refusal = refusal;
  }
}

/** Refuses from wherever a handler is. */
export function deny(code: RefusalCode, detail: string, more: Omit<Refusal, "code" | "detail"> = {}): never {
  throw new Refused({ code, detail, ...more });
}

/** The value of a result; a refusal leaves the handler. */
export function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw new Refused(result.error);
  return result.value;
}
