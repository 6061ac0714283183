/** Variant of answers outside any experiment. */
export const defaultVariant = "default";

/** Which experiment a person takes part in, and in which arm of it. */
export interface Participation {
  experiment: string;
  arm: string;
}

/** A participation as the variant of an answer: `experiment/arm`. */
export const variantOf = ({ experiment, arm }: Participation): string => `${experiment}/${arm}`;

/** The participation that a variant tells of; null for one outside any experiment. */
export function participationOf(variant: string): Participation | null {
  const at = variant.indexOf("/");
  return at > 0 ? { experiment: variant.slice(0, at), arm: variant.slice(at + 1) } : null;
}
