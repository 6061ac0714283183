import type { TouchedRule } from "../../shared/contracts/recommendation.ts";
import type { ReasonSubject } from "../pipeline/reasons.ts";

/** What a rule did with the score of one product. */
export interface RuleEffect {
  rule: string;
  /** Factor on the score; 1 or undefined if the score stayed the same. */
  factor?: number;
}

/** What each rule tells of the user. A rule that is missing here tells nothing. */
const subjects: Readonly<Record<string, ReasonSubject>> = {
  distance: "place",
  purchased: "history",
  shown: "history",
  intent: "history",
  dismissed: "history",
};

/** Returns what it tells of the user that a rule touched a product. */
export const ruleSubject = (rule: string): ReasonSubject => subjects[rule] ?? null;

/** Returns those of the rules that changed the score of a product. A score of 0 stays 0 under each factor. */
export const touchedRules = (effects: readonly RuleEffect[]): TouchedRule[] =>
  effects.flatMap(({ rule, factor }) =>
    factor !== undefined && Number.isFinite(factor) && factor !== 1 ? [{ rule, factor }] : [],
  );
