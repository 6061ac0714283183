import type { Reduced } from "../../../durable-objects/user-session/ingest/reception.ts";
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

/** Returns the consent that a user most likely has. */
function likelyConsent(env: RecommendationEnv, application: string, pseudonym: string): Precision {
  const consent = knownConsents.get(application, pseudonym) ?? defaultConsentOf(env);
  // Without a location the user's object would not notice that its user allows one.
  return consent === "none" ? "approximate" : consent;
}

/**
 * Stores locations at the precision that the user allows, by one call of the user's object instead of two: `store` gets
 * the consent that the user most likely has, and once more the right one if the object says that it is another. The
 * object decides, so that nothing finer than the consent is stored, and nothing coarser either.
 */
export async function atConsent<T>(
  env: RecommendationEnv,
  application: string,
  pseudonym: string,
  store: (consent: Precision) => Promise<Result<Reduced<T>>>,
): Promise<Result<T>> {
  let consent = likelyConsent(env, application, pseudonym);
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const answer = await store(consent);
    if (!answer.ok) return answer;
    if (answer.value.consent === null) return ok(answer.value.recorded);
    consent = answer.value.consent;
    knownConsents.set(application, pseudonym, consent);
  }
  return refuse("conflict", consentChangesText, { retryAfter: 1 });
}
