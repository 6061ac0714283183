import type { Language } from "../../../shared/language/languages.ts";
import { de } from "./de.ts";
import { en } from "./en.ts";
import { es } from "./es.ts";
import { fr } from "./fr.ts";
import type { ExplainedFacts, SentenceTemplates } from "./sentence-templates.ts";

/** The sentences by language, one file each. */
export const templatesByLanguage: Readonly<Record<Language, SentenceTemplates>> = { en, de, es, fr };

/** Clauses of one sentence, at most. */
const maxClauses = 3;
/** Distances up to this one are a reason, in kilometers. */
const maxReasonKm = 5;
/** Reasons that a distance says more precisely. */
const saidByDistance = new Set(["near_you"]);

/** Returns a distance with its unit, in meters below one kilometer. */
function distanceText(km: number, locale: string): string {
  const [value, unit] = km < 1 ? [Math.max(10, Math.round(km * 100) * 10), "meter"] : [km, "kilometer"];
  return new Intl.NumberFormat(locale, { style: "unit", unit, maximumFractionDigits: 1 }).format(value);
}

/**
 * Returns a sentence that says in a language why a product is recommended: rules of the shop first, then at most two
 * reasons, then the distance if the product is near. Names without a clause are left out.
 */
export function explanationText(
  language: Language,
  { title, distanceKm, reasons, rules }: ExplainedFacts,
): string {
  const templates = templatesByLanguage[language];
  const near =
    distanceKm !== null && distanceKm <= maxReasonKm
      ? [templates.distance(distanceText(distanceKm, templates.locale))]
      : [];
  const clausesOf = (names: readonly string[], clauses: Readonly<Record<string, string>>): string[] =>
    names.flatMap((name) => (Object.hasOwn(clauses, name) ? [clauses[name]] : []));
  const clauses = [
    ...clausesOf(rules, templates.rules),
    ...clausesOf(
      near.length > 0 ? reasons.filter((reason) => !saidByDistance.has(reason)) : reasons,
      templates.reasons,
    ),
  ].slice(0, maxClauses - near.length);
  const all = [...clauses, ...near];
  return all.length === 0 ? templates.withoutReason(title) : templates.sentence(title, templates.join(all));
}
