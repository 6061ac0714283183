/** Variant of recommendations for a user who takes part in no experiment. */
export const defaultVariant = "default";

/** An experiment that a user takes part in, and the user's arm. */
export interface Participation {
  experiment: string;
  arm: string;
}

/** Returns the variant of a participation: `experiment/arm`. */
export const variantOf = ({ experiment, arm }: Participation): string => `${experiment}/${arm}`;

/** Separates the participations of a user who takes part in several experiments. */
const separator = ",";

/** Returns the variant of all participations of a user: `experiment/arm,experiment/arm`. */
export const variantOfAll = (variants: readonly string[]): string =>
  variants.filter((variant) => variant !== defaultVariant).join(separator) || defaultVariant;

/** Returns the participations that a variant names; none for the variant of no experiment. */
export const participationsOf = (variant: string): Participation[] =>
  variant.split(separator).flatMap((each) => {
    const at = each.indexOf("/");
    return at > 0 ? [{ experiment: each.slice(0, at), arm: each.slice(at + 1) }] : [];
  });

/** Prefix of the experiments that the rollouts of models make. */
export const rolloutPrefix = "rollout:";

/** Returns whether the rollout of a model makes an experiment. Other experiments measure more of their users. */
export const isRollout = (experiment: string): boolean => experiment.startsWith(rolloutPrefix);
