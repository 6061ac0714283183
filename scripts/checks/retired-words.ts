/**
 * A word that the project no longer uses: private language, or a second word for one thing. `say` is the word to use
 * instead. A word is checked as a whole part of an identifier (`personOf` has the parts `person` and `Of`), in any
 * case.
 */
export interface RetiredWord {
  say: string;
  /** Parts of identifiers. */
  identifiers: readonly string[];
  /** Words of documents and comments, as a regular expression without anchors; null where prose may use them. */
  prose: string | null;
}

export const retiredWords: readonly RetiredWord[] = [
  { say: "user, userId, UserSession", identifiers: ["person", "persons"], prose: null },
  { say: "product, catalog", identifiers: ["goods", "shelf", "catalogue"], prose: "shelf|catalogues?" },
  { say: "event, interaction", identifiers: ["told"], prose: null },
  { say: "ingest, IngestResult", identifiers: ["taking", "taken"], prose: null },
  {
    say: "item-to-item transitions, next products",
    identifiers: ["follower", "followers", "neighbour", "neighbours"],
    prose: "followers?|neighbours?",
  },
  { say: "candidate source, candidate store", identifiers: ["shelves"], prose: "shelves" },
  { say: "category affinity", identifiers: ["leaning", "leanings"], prose: "leanings?" },
  { say: "resolve location", identifiers: ["whereabouts"], prose: "whereabouts" },
  { say: "dead-letter queue message", identifiers: ["letter", "letters"], prose: "letters?" },
  { say: "service, admin service", identifiers: ["desk"], prose: "desks?" },
  { say: "artifacts, lease", identifiers: ["workbench"], prose: "workbench(?:es)?" },
  {
    say: "pending deltas, compact, flush",
    identifiers: ["news", "settle", "settled", "folded"],
    prose: "news",
  },
  { say: "shadow model, candidate model", identifiers: ["beside", "newcomer"], prose: "newcomers?" },
  {
    say: "migrate (a shard), publish policy",
    identifiers: ["handover", "handed", "pace", "dirt"],
    prose: "handovers?|dirt",
  },
  { say: "mapConcurrent, bisectBatch", identifiers: ["together"], prose: null },
  { say: "retry delay, timeout", identifiers: ["patience"], prose: "patience" },
  { say: "generation (of a user's data after an erasure)", identifiers: ["lives"], prose: null },
  { say: "request limit, entry point, endpoint", identifiers: ["door", "doors"], prose: "doors?" },
  { say: "architecture, folder, module", identifiers: ["house", "room", "rooms"], prose: "house" },
  {
    say: "American spelling",
    identifiers: ["centre", "centres", "kilometre", "kilometres", "colour", "behaviour", "honour"],
    prose:
      "centres?|kilometres?|metres|colours?|behaviours?|honou?rs?(?<=ou?rs?)(?<!honors?)|favourites?|neighbourhoods?|(?:optim|normal|standard|serial|general|recogn|organ|summar|initial|final|minim|maxim)is(?:e|es|ed|ing|ation)",
  },
];

/** Retired prefixes of identifiers, each with the prefix to use instead. */
export const retiredPrefixes: readonly { prefix: string; say: string }[] = [
  { prefix: "most", say: "max" },
  { prefix: "least", say: "min" },
];

/** Retired identifiers, each with the one to use instead. */
export const retiredIdentifiers: Readonly<Record<string, string>> = {
  atOnce: "mapConcurrent",
  valueOf: "unwrap",
};

/**
 * Identifiers that stay although a part of them is retired, each with the reason: names of the HTTP API, of stored data
 * and of bindings.
 */
export const allowedIdentifiers: Readonly<Record<string, string>> = {
  neighbours: "a part of POST /v1/rebuild, in its answers",
  person_choices: "a feature of the model, named in manifests",
  person_products: "a feature of the model, named in manifests",
  CATALOGUE: "the binding of the queue vicinity-catalogue",
  catalogue: "the queue's name in ids of dead-letter messages",
};
