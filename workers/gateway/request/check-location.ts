import type { Point } from "../../../shared/contracts/primitives.ts";
import type { InputWarning, Written } from "../../../shared/contracts/warning.ts";
import { implausibilityOf, implausibilityText } from "../../../shared/geo/implausible-point.ts";

/**
 * Checks the location that a client states for a product or a home; `path` is its field. Returns the location to store,
 * which is null for (0, 0), and the warnings about it. Whole degrees are stored as they were sent, with a warning.
 */
export function checkLocation<T extends Point | null | undefined>(
  location: T,
  path: string,
): { location: T | null; warnings: InputWarning[] } {
  const implausibility = location ? implausibilityOf(location) : null;
  if (implausibility === null) return { location, warnings: [] };
  const text = implausibilityText[implausibility];
  return implausibility === "null_island"
    ? {
        location: null,
        warnings: [{ path, code: "location_not_believed", message: `\`${path}\`: ${text}. null is stored.` }],
      }
    : {
        location,
        warnings: [
          { path, code: "location_imprecise", message: `\`${path}\`: ${text}. It is stored as it was sent.` },
        ],
      };
}

/**
 * Checks the location that the query of a list states. Returns the location to use, and the warnings about it. (0, 0)
 * counts as no location, unless `isRequired`: then the list is for that point.
 */
export function checkListLocation<T extends Point | null>(
  location: T,
  isRequired = false,
): { location: T | null; warnings: InputWarning[] } {
  const implausibility = location ? implausibilityOf(location) : null;
  if (implausibility === null) return { location, warnings: [] };
  const isLeftOut = implausibility === "null_island" && !isRequired;
  const effect = isLeftOut ? "The list is for no location." : "The list is for this location nevertheless.";
  const code = implausibility === "null_island" ? "location_not_believed" : "location_imprecise";
  const message = `\`lat\` and \`lon\`: ${implausibilityText[implausibility]}. ${effect}`;
  return { location: isLeftOut ? null : location, warnings: [{ path: "lat", code, message }] };
}

/** Returns an answer with its warnings, or the answer alone if there are none. */
export const withWarnings = <T extends object>(answer: T, warnings: InputWarning[]): Written<T> =>
  warnings.length > 0 ? { ...answer, warnings } : answer;
