/** What an explanation says of one product, besides its title. */
export interface ExplainedFacts {
  title: string;
  /** Kilometers; null if it is unknown or withheld. */
  distanceKm: number | null;
  /** Names of reasons, the most telling first. */
  reasons: readonly string[];
  /** Names of the rules that touched the product. */
  rules: readonly string[];
}

/** The sentences of one language. */
export interface SentenceTemplates {
  /** BCP 47 tag by which numbers are written. */
  locale: string;
  /** Returns the whole sentence. `because` is a list of clauses that {@link join} made. */
  sentence(title: string, because: string): string;
  /** Returns the sentence for a product without a reason. */
  withoutReason(title: string): string;
  /** Returns the clauses as one list. */
  join(clauses: readonly string[]): string;
  /** Returns the clause for a distance, which is written as a number with a unit. */
  distance(text: string): string;
  /** Clauses by name of the reason. */
  reasons: Readonly<Record<string, string>>;
  /** Clauses by name of the rule. */
  rules: Readonly<Record<string, string>>;
}

/** Returns clauses with commas, and with a word before the last one. */
export const joinWith =
  (and: string) =>
  (clauses: readonly string[]): string =>
    clauses.length < 2
      ? (clauses[0] ?? "")
      : `${clauses.slice(0, -1).join(", ")} ${and} ${clauses[clauses.length - 1]}`;
