import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { decodeProfile } from "../../model/profile/codec.ts";
import type { UserProfile } from "../../model/profile/profile.ts";
import { catalogMessage, interactionsMessage, locationsMessage } from "../../shared/contracts/queues.ts";
import { checkOutReleaseBefore, hasReleaseBefore } from "./release-before.ts";

/** What the release before stores and sends, as record-fixtures.ts wrote it with the code of that release. */
interface Fixtures {
  profiles: { bytes: string; profile: UserProfile }[];
  interactions: unknown;
  locations: unknown;
  catalogue: unknown;
}
const text = readFileSync(join(import.meta.dirname, "release-before.fixtures.json"), "utf8");
const fixtures: Fixtures = JSON.parse(text);

describe("what the release before stored and sent", () => {
  it("is read: profiles of users", () => {
    expect(fixtures.profiles).toHaveLength(8);
    for (const { bytes, profile } of fixtures.profiles) {
      const decoded = decodeProfile(Buffer.from(bytes, "base64"), profile.precision);
      expect(JSON.parse(JSON.stringify(decoded))).toMatchObject(profile);
    }
  });

  it("is read: messages of all queues", () => {
    expect(interactionsMessage.parse(fixtures.interactions)).toMatchObject(fixtures.interactions as object);
    expect(locationsMessage.parse(fixtures.locations)).toMatchObject(fixtures.locations as object);
    expect(catalogMessage.parse(fixtures.catalogue)).toMatchObject(fixtures.catalogue as object);
  });

  it.runIf(process.env.VICINITY_LONG === "1" && hasReleaseBefore())(
    "is what the code of that release writes",
    { timeout: 120_000 },
    () => {
      const folder = mkdtempSync(join(tmpdir(), "vicinity-fixtures-"));
      afterAll(() => rmSync(folder, { recursive: true, force: true }));
      checkOutReleaseBefore(folder);
      const script = "test/compatibility/record-fixtures.ts";
      execFileSync("mkdir", ["-p", join(folder, "test/compatibility")]);
      copyFileSync(join(import.meta.dirname, "record-fixtures.ts"), join(folder, script));
      const output = execFileSync(process.execPath, [script], { cwd: folder, encoding: "utf8" });
      expect(JSON.parse(output)).toEqual(JSON.parse(text));
    },
  );
});
