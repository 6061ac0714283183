import { type Precision, precision, precisions } from "../contracts/primitives.ts";

/** The consent of users who state none, unless the variable `DEFAULT_CONSENT` says otherwise. */
export const usualConsent = "approximate" satisfies Precision;

/**
 * Returns the consent of users who state none: `DEFAULT_CONSENT` of a worker's variables. Throws if the variable names no
 * level.
 */
export function defaultConsentOf(variables: object): Precision {
  const found: unknown = Reflect.get(variables, "DEFAULT_CONSENT") ?? usualConsent;
  const level = precision.safeParse(found);
  if (level.success) return level.data;
  throw new Error(`DEFAULT_CONSENT must be one of ${precisions.join(", ")}; got ${JSON.stringify(found)}`);
}
