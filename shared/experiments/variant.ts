/** Variant of recommendations for a user who takes part in no experiment. */
export const defaultVariant = "default";

/** An experiment that a user takes part in, and the user's arm. */
export interface Participation {
  experiment: string;
  arm: string;
}

/** Returns the variant of a participation: `experiment/arm`. */
export const variantOf = ({ experiment, arm }: Participation): string => `${experiment}/${arm}`;

/** Returns the participation that a variant names; null for the variant of no experiment. */
export function participationOf(variant: string): Participation | null {
  const at = variant.indexOf("/");
  return at > 0 ? { experiment: variant.slice(0, at), arm: variant.slice(at + 1) } : null;
}
