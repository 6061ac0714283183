import { defaultLanguage, type Language, languages } from "./languages.ts";

/** A language range of the header, and its weight (RFC 9110, section 12.5.4). */
interface LanguageRange {
  /** Primary subtag in lower case, or `*` for any language. */
  primary: string;
  /** 0 to 1; 0 means "not acceptable". */
  weight: number;
}

/** Ranges of one header that are read, at most. */
const maxRanges = 50;
const rangePattern = /^(\*|[A-Za-z]{1,8})(?:-[A-Za-z0-9]{1,8})*$/;
const weightPattern = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i;

/** Returns the range of one list element; null for one that is not as the RFC says. */
function rangeOf(element: string): LanguageRange | null {
  const [tag, weight, ...rest] = element.split(";").map((part) => part.trim());
  const primary = rangePattern.exec(tag)?.[1].toLowerCase();
  if (primary === undefined || rest.length > 0) return null;
  if (weight === undefined) return { primary, weight: 1 };
  const value = weightPattern.exec(weight)?.[1];
  return value === undefined ? null : { primary, weight: Number(value) };
}

/**
 * Returns the language that a header `Accept-Language` prefers among those that answers have: the one with the largest
 * weight, the first of equal ones. `de-AT` accepts German. A range with the weight 0 excludes its language, and `*` accepts
 * any that no other range names. Elements that are not as the RFC says are left out. Without an acceptable language,
 * returns the default: a sentence in English is better than none.
 */
export function preferredLanguage(header: string | null | undefined): Language {
  const ranges = (header ?? "")
    .split(",", maxRanges)
    .map((element) => rangeOf(element))
    .filter((range) => range !== null);
  const named = new Set(ranges.map(({ primary }) => primary));
  const excluded = new Set(ranges.filter(({ weight }) => weight === 0).map(({ primary }) => primary));
  let best: { language: Language; weight: number } | null = null;
  for (const { primary, weight } of ranges) {
    const language =
      primary === "*"
        ? languages.find((each) => !named.has(each))
        : languages.find((each) => each === primary && !excluded.has(each));
    if (language !== undefined && weight > (best?.weight ?? 0)) best = { language, weight };
  }
  return best?.language ?? defaultLanguage;
}
