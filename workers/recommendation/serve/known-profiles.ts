import type { VersionedProfile } from "../../../durable-objects/user-session/session-state.ts";
import { decodeProfile } from "../../../model/profile/codec.ts";
import type { ReadonlyProfile } from "../../../model/profile/profile.ts";
import { ShareCache } from "../../../shared/cache/share-cache.ts";
import type { Precision } from "../../../shared/contracts/primitives.ts";
import type { Requester } from "../../../shared/contracts/requester.ts";
import { ok, type Result } from "../../../shared/contracts/result.ts";

/** What an entry takes besides its profile, in bytes: its key, its version and its place in the cache. */
const entryBytes = 512;
/** How long after its last use a profile is forgotten, in milliseconds. */
const idleMs = 10 * 60_000;

/** The user's object, as far as a profile is read from it. */
export interface ProfileSource {
  readonly id: { toString(): string };
  encodedProfileFor(requester: Requester, knownVersion: string | null): PromiseLike<Result<VersionedProfile>>;
}

interface KnownProfile {
  version: string;
  profile: ReadonlyProfile;
  /** The default that decided which consent counts. */
  defaultConsent: Precision;
  size: number;
}

/**
 * The profiles that this isolate read last, so that a profile that has not changed is neither sent nor decoded again.
 * The user's object is asked each time: it decides whether the requester may read, and whether the profile changed.
 */
export class KnownProfiles {
  readonly #profiles: ShareCache<KnownProfile>;

  /** `maxBytes` bounds the sum of the encoded profiles. A decoded profile takes about six times as much memory. */
  constructor(maxBytes: number, now: () => number = Date.now) {
    this.#profiles = new ShareCache({
      maxSize: maxBytes,
      sizeOf: ({ size }) => size,
      idleMs,
      forgetsIdle: true,
      now,
    });
  }

  /** Number of profiles that are remembered. */
  get count(): number {
    return this.#profiles.count;
  }

  /** Returns the present profile of the object's user, or the object's refusal. */
  async read(
    source: ProfileSource,
    application: string,
    requester: Requester,
    defaultConsent: Precision,
  ): Promise<Result<ReadonlyProfile>> {
    const id = source.id.toString();
    const entry = this.#profiles.get(application, id);
    const known = entry?.defaultConsent === defaultConsent ? entry : undefined;
    const answer = await source.encodedProfileFor(requester, known?.version ?? null);
    if (!answer.ok) return answer;
    const { version, bytes } = answer.value;
    if (bytes === null) {
      if (known?.version !== version) throw new Error("The user's object sent no profile.");
      return ok(known.profile);
    }
    const profile = decodeProfile(bytes, defaultConsent);
    const size = entryBytes + bytes.byteLength;
    this.#profiles.set(application, id, { version, profile, defaultConsent, size });
    return ok(profile);
  }

  /** Forgets the profile of an object. */
  forget(application: string, id: string): void {
    this.#profiles.delete(application, id);
  }
}

/** The profiles that this isolate remembers: in a demo, those of 600 users. */
export const knownProfiles = new KnownProfiles(4 * 1024 * 1024);
