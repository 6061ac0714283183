import type { Reduced } from "../../../durable-objects/user-session/ingest/reception.ts";
import { mapConcurrent } from "../../../shared/async/map-concurrent.ts";
import { ShareCache } from "../../../shared/cache/share-cache.ts";
import { defaultConsentOf } from "../../../shared/consent/default-consent.ts";
import { consentChangesText } from "../../../shared/consent/levels.ts";
import type { Precision } from "../../../shared/contracts/primitives.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";

/** Calls of a user's object at most, for one whose consent changes meanwhile. */
const maxAttempts = 3;
/** Users whose consent is remembered in this isolate. */
const maxUsers = 10_000;

/** Consents other than the default, by the users' pseudonyms. What is out of date costs one more call. */
const knownConsents = new ShareCache<Precision>({ maxSize: maxUsers, forgetsIdle: true });

/** Remembers the consents of users, so that their objects are likely called once. A wrong one costs one more call. */
export function rememberConsents(application: string, consents: ReadonlyMap<string, Precision>): void {
  for (const [pseudonym, consent] of consents) knownConsents.set(application, pseudonym, consent);
}

/** Returns the consent that a user most likely has. */
function likelyConsent(env: RecommendationEnv, application: string, pseudonym: string): Precision {
  const consent = knownConsents.get(application, pseudonym) ?? defaultConsentOf(env);
  // Without a location the user's object would not notice that its user allows one.
  return consent === "none" ? "approximate" : consent;
}

/** What came of storing a user's data: the answer of their object, or the error of the call. */
export type StoreOutcome<T> = { answer: Result<T> } | { error: unknown };

/** How the data of users is stored at the consent of each. */
export interface ConsentSteps<U, P, T> {
  pseudonymOf(user: U): string;
  /** Returns what {@link store} needs for each of the users, in their order. One call of another worker serves all. */
  prepare(users: readonly { user: U; consent: Precision }[]): Promise<readonly P[]>;
  /** Stores the data of one user at the consent that they are supposed to have. */
  store(user: U, consent: Precision, prepared: P): Promise<Result<Reduced<T>>>;
}

/** User objects that are called at the same time. */
const maxConcurrentUsers = 32;

/**
 * Stores data of users at the precision that each allows, by one call of each user's object instead of two: `store` gets
 * the consent that the user most likely has, and once more the right one if the object says that it is another. The
 * object decides, so that nothing finer than the consent is stored, and nothing coarser either. Returns what came of each
 * user, in their order.
 */
export async function eachAtConsent<U, P, T>(
  env: RecommendationEnv,
  application: string,
  users: readonly U[],
  { pseudonymOf, prepare, store }: ConsentSteps<U, P, T>,
): Promise<StoreOutcome<T>[]> {
  const conflict: Result<T> = refuse("conflict", consentChangesText, { retryAfter: 1 });
  const outcomes = users.map((): StoreOutcome<T> => ({ answer: conflict }));
  let pending = users.map((user, index) => {
    const pseudonym = pseudonymOf(user);
    return { user, index, pseudonym, consent: likelyConsent(env, application, pseudonym) };
  });
  for (let attempt = 1; attempt <= maxAttempts && pending.length > 0; attempt++) {
    const prepared = await prepare(pending);
    const next: typeof pending = [];
    const calls = pending.map((each, i) => ({ ...each, prepared: prepared[i] }));
    await mapConcurrent(maxConcurrentUsers, calls, async ({ user, index, pseudonym, consent, prepared }) => {
      try {
        const answer = await store(user, consent, prepared);
        if (!answer.ok) outcomes[index] = { answer };
        else if (answer.value.consent === null) outcomes[index] = { answer: ok(answer.value.recorded) };
        else {
          knownConsents.set(application, pseudonym, answer.value.consent);
          next.push({ user, index, pseudonym, consent: answer.value.consent });
        }
      } catch (error) {
        outcomes[index] = { error };
      }
    });
    pending = next;
  }
  return outcomes;
}

/** Stores data of one user at the precision that they allow, as {@link eachAtConsent} does. */
export async function atConsent<T>(
  env: RecommendationEnv,
  application: string,
  pseudonym: string,
  store: (consent: Precision) => Promise<Result<Reduced<T>>>,
): Promise<Result<T>> {
  const [outcome] = await eachAtConsent(env, application, [pseudonym], {
    pseudonymOf: (user) => user,
    prepare: async (users) => users.map(() => null),
    store: (_user, consent) => store(consent),
  });
  if ("error" in outcome) throw outcome.error;
  return outcome.answer;
}
