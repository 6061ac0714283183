import type { RefusalCode, Result } from "../contracts/result.ts";

/** Returns the code of a refusal; null for a value. */
export const refusalCodeOf = (result: Result<unknown>): RefusalCode | null =>
  result.ok ? null : result.error.code;
