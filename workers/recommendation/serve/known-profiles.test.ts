import { describe, expect, it } from "vitest";
import type { VersionedProfile } from "../../../durable-objects/user-session/session-state.ts";
import { encodeProfile, encodeShown } from "../../../model/profile/codec.ts";
import { emptyProfile } from "../../../model/profile/profile.ts";
import { trustedRequester } from "../../../shared/contracts/requester.ts";
import { ok, type Result, refuse, unwrap } from "../../../shared/contracts/result.ts";
import { KnownProfiles, type ProfileSource } from "./known-profiles.ts";

/** An object of a user with a number of events. It counts the profiles that it sends. */
class UserObject implements ProfileSource {
  readonly id: string;
  events = 0;
  version = "v1";
  sent = 0;
  refusal: ReturnType<typeof refuse> | null = null;

  constructor(id: string) {
    this.id = id;
  }

  async encodedProfileFor(_: unknown, known: string | null): Promise<Result<VersionedProfile>> {
    if (this.refusal) return this.refusal;
    const { version, events } = this;
    if (known === version) return ok({ version, bytes: null });
    this.sent++;
    return ok({ version, bytes: encodeProfile({ ...emptyProfile("city"), events }) });
  }
}

const megabyte = 1024 * 1024;

const read = async (profiles: KnownProfiles, source: ProfileSource, application = "shop") =>
  unwrap(await profiles.read(source, application, trustedRequester, "exact"), "the user's object");

describe("KnownProfiles", () => {
  it("asks for the bytes of a profile only once, until it changes", async () => {
    const profiles = new KnownProfiles(megabyte);
    const ann = new UserObject("ann");
    const first = await read(profiles, ann);
    expect(await read(profiles, ann)).toBe(first);
    expect(ann.sent).toBe(1);
    Object.assign(ann, { version: "v2", events: 7 });
    expect((await read(profiles, ann)).events).toBe(7);
    expect((await read(profiles, ann)).events).toBe(7);
    expect(ann.sent).toBe(2);
  });

  it("takes only what lists showed since, if nothing else changed", async () => {
    const profiles = new KnownProfiles(megabyte);
    const shown = { shown: new Map([["p", { looks: 1, last: 7 }]]), shownUntil: 7 };
    const ann = new UserObject("ann");
    ann.events = 5;
    const first = await read(profiles, ann);
    const later: ProfileSource = {
      id: "ann",
      encodedProfileFor: async (_, known, takesShown) =>
        ok({
          version: "v1:1",
          bytes: null,
          ...(known === "v1" && takesShown ? { shown: encodeShown(shown) } : {}),
        }),
    };
    expect(await read(profiles, later)).toEqual({ ...first, ...shown });
    // The version is known now.
    expect(await read(profiles, later)).toEqual({ ...first, ...shown });
    await expect(read(new KnownProfiles(megabyte), later)).rejects.toThrow("sent no profile");
  });

  it("asks the object each time whether the requester may read", async () => {
    const profiles = new KnownProfiles(megabyte);
    const ann = new UserObject("ann");
    await read(profiles, ann);
    ann.refusal = refuse("unauthorized", "The token has ended.");
    expect(await profiles.read(ann, "shop", trustedRequester, "exact")).toBe(ann.refusal);
  });

  it("keeps users, applications and default consents apart", async () => {
    const profiles = new KnownProfiles(megabyte);
    const [ann, bo] = [new UserObject("ann"), new UserObject("bo")];
    bo.events = 3;
    expect([(await read(profiles, ann)).events, (await read(profiles, bo)).events]).toEqual([0, 3]);
    await read(profiles, ann, "other shop");
    expect(ann.sent).toBe(2);
    const atNone = await profiles.read(ann, "shop", trustedRequester, "none");
    expect(atNone.ok && atNone.value.precision).toBe("none");
    expect((await read(profiles, ann)).precision).toBe("exact");
  });

  it("remembers no more than its bytes, the profiles used last, and nothing that it was told to forget", async () => {
    const users = Array.from({ length: 20 }, (_, i) => new UserObject(`user ${i}`));
    const size = encodeProfile(emptyProfile("city")).byteLength;
    const profiles = new KnownProfiles(10 * (size + 512));
    for (const user of users) await read(profiles, user);
    expect(profiles.count).toBe(10);
    for (const user of users.toReversed()) await read(profiles, user);
    expect(users.map(({ sent }) => sent)).toEqual([...Array(10).fill(2), ...Array(10).fill(1)]);
    profiles.forget("shop", "user 0");
    await read(profiles, users[0]);
    expect(users[0].sent).toBe(3);
  });

  it("forgets a profile ten minutes after its last use", async () => {
    let time = 0;
    const profiles = new KnownProfiles(megabyte, () => time);
    await read(profiles, new UserObject("ann"));
    time = 10 * 60_000 + 1;
    await read(profiles, new UserObject("bo"));
    expect(profiles.count).toBe(1);
  });

  it("takes an answer that came late for what it is: another version", async () => {
    const profiles = new KnownProfiles(megabyte);
    const ann = new UserObject("ann");
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const old = await ann.encodedProfileFor(null, null);
    const late = read(profiles, { id: ann.id, encodedProfileFor: () => held.then(() => old) });
    Object.assign(ann, { version: "v2", events: 7 });
    await read(profiles, ann);
    release();
    expect((await late).events).toBe(0);
    expect((await read(profiles, ann)).events).toBe(7);
  });
});
