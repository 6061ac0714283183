import type { VersionedProfile } from "../../../durable-objects/user-session/session-state.ts";
import { decodeProfile, decodeShown, encodeShown } from "../../../model/profile/codec.ts";
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
  encodedProfileFor(
    requester: Requester,
    knownVersion: string | null,
    takesShown: boolean,
  ): PromiseLike<Result<VersionedProfile>>;
}

interface KnownProfile {
  version: string;
  profile: ReadonlyProfile;
  /** The default that decided which consent counts. */
  defaultConsent: Precision;
  size: number;
}

/** Returns the profile in the bytes that an object sent, and what its entry takes. */
const profileOf = (bytes: Uint8Array, defaultConsent: Precision): Pick<KnownProfile, "profile" | "size"> => ({
  profile: decodeProfile(bytes, defaultConsent),
  size: entryBytes + bytes.byteLength,
});

/** Returns a known profile with what lists have shown since. */
function withShown(
  { profile, size }: KnownProfile,
  bytes: Uint8Array,
): Pick<KnownProfile, "profile" | "size"> {
  const shown = decodeShown(bytes);
  const grownBy = Math.max(0, bytes.byteLength - encodeShown(profile).byteLength);
  return { profile: { ...profile, ...shown }, size: size + grownBy };
}

/**
 * The profiles that this isolate read last, so that a profile that has not changed is neither sent nor decoded again; of one
 * in which only changed what lists showed, only this is.
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
    const answer = await source.encodedProfileFor(requester, known?.version ?? null, true);
    if (!answer.ok) return answer;
    const { version, bytes, shown } = answer.value;
    if (bytes === null && known?.version === version) return ok(known.profile);
    const present =
      bytes === null ? known && shown && withShown(known, shown) : profileOf(bytes, defaultConsent);
    if (!present) throw new Error("The user's object sent no profile.");
    this.#profiles.set(application, id, { ...present, version, defaultConsent });
    return ok(present.profile);
  }

  /** Forgets the profile of an object. */
  forget(application: string, id: string): void {
    this.#profiles.delete(application, id);
  }
}

/** The profiles that this isolate remembers: in a demo, those of 600 users. */
export const knownProfiles = new KnownProfiles(4 * 1024 * 1024);
