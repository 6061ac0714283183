import { type Contributions, contributionsOf, rowsFor } from "../../../model/explain/contributions.ts";
import { featureGroups } from "../../../model/explain/feature-groups.ts";
import { explanationText } from "../../../model/explain/sentences/explanation-text.ts";
import { rankingMs } from "../../../model/pipeline/counted-work.ts";
import type { ReasonSubject } from "../../../model/pipeline/reasons.ts";
import type { PipelineAnswer, PipelineItem } from "../../../model/pipeline/run-pipeline.ts";
import { calibratedProbability } from "../../../model/recalibrate/calibrated-probability.ts";
import { ruleSubject } from "../../../model/rules/touched-rules.ts";
import type { LocationSource } from "../../../shared/contracts/location.ts";
import type { Explanation, TouchedRule } from "../../../shared/contracts/recommendation.ts";
import type { Requester } from "../../../shared/contracts/requester.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import type { Language } from "../../../shared/language/languages.ts";
import { mayKnowSubject, shownReasons } from "./place-rights.ts";

/** Who reads an explanation, and in which language. */
export interface ExplanationReader {
  requester: Requester;
  /** Source of the user's location. */
  source: LocationSource;
  language: Language;
}

/** A listed product, with the distance that the answer shows. */
export interface ExplainedProduct {
  ranked: PipelineItem;
  title: string;
  /** Kilometers; null if it is unknown or withheld. */
  distanceKm: number | null;
  /** Whether exploration shows the product in the place of a better one. */
  isExplored: boolean;
}

/**
 * Returns the explanations of listed products, in their order; none, and why, if the model fails, or if its work exceeds what
 * is left of the budget. The model scores at most 1,601 rows more, in at most four runs. What tells of the user's place or
 * history is left out for a reader who may not know it.
 */
export async function explainItems(
  answer: PipelineAnswer,
  listed: readonly ExplainedProduct[],
  reader: ExplanationReader,
): Promise<{ explanations?: Explanation[]; skipped?: string }> {
  const workMs = rankingMs(answer.ranker, rowsFor(listed.length));
  if (answer.budget.remainingMs < workMs) return { skipped: "budget" };
  answer.budget.worked(workMs);
  try {
    return { explanations: await explanationsOf(answer, listed, reader) };
  } catch (error) {
    console.error({ event: "list not explained", error: errorText(error) });
    return { skipped: "the model: failed" };
  }
}

async function explanationsOf(
  { features, scores, logits, ranker }: PipelineAnswer,
  listed: readonly ExplainedProduct[],
  reader: ExplanationReader,
): Promise<Explanation[]> {
  const indices = listed.map(({ ranked }) => ranked.index);
  const { averageScore, values } = await contributionsOf(features, scores, indices, ranker);
  const mayKnow = (subject: ReasonSubject): boolean =>
    mayKnowSubject(subject, reader.requester, reader.source);
  return listed.map(({ ranked, title, distanceKm, isExplored }, i) => {
    const rules = [
      ...ranked.rules.filter(({ rule }) => mayKnow(ruleSubject(rule))),
      ...(isExplored ? [{ rule: "exploration" }] : []),
    ];
    return {
      text: explanationText(reader.language, {
        ...{ title, distanceKm, rules: raisingRules(rules) },
        reasons: shownReasons(ranked.reasons, reader.requester, reader.source),
      }),
      sources: mayKnow("history") ? ranked.sources : ranked.sources.filter((source) => source === "near"),
      ...{ rules, averageScore },
      contributions: shownContributions(values[i], ranked.score - scores[ranked.index], mayKnow),
      probabilities: {
        click: calibratedProbability(logits.engage[ranked.index], ranker.calibration?.click),
        purchase: calibratedProbability(logits.purchase[ranked.index], ranker.calibration?.purchase),
      },
    };
  });
}

/** Returns the names of the rules that did not lower the score: a sentence says why a product is recommended. */
const raisingRules = (rules: readonly TouchedRule[]): string[] =>
  rules.flatMap(({ rule, factor = 1, add = 0 }) => (factor < 1 || add < 0 ? [] : [rule]));

/** Returns the contributions that a reader may know, the largest first; the sum of the others is `withheld`. */
function shownContributions(
  values: Contributions["values"][number],
  rules: number,
  mayKnow: (subject: ReasonSubject) => boolean,
): Explanation["contributions"] {
  const shown: Explanation["contributions"] = [];
  let withheld = 0;
  featureGroups.forEach(({ name, tells }, i) => {
    if (mayKnow(tells)) shown.push({ group: name, value: values[i] });
    else withheld += values[i];
  });
  // What the rules changed may tell what the user did.
  if (mayKnow("history") && mayKnow("place")) shown.push({ group: "rules", value: rules });
  else withheld += rules;
  if (shown.length <= featureGroups.length) shown.push({ group: "withheld", value: withheld });
  return shown.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
}
