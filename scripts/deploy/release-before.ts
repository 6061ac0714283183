import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";

const schema = z.strictObject({
  label: z.string(),
  commit: z.string().regex(/^[0-9a-f]{40}$/),
  notReversible: z.array(z.string()),
});

/**
 * The release that this one must understand, by its commit, and what it does not see any more after a rollback, as
 * sentences. After a release, set its commit here and empty the list.
 */
export const releaseBefore = schema.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, "release-before.json"), "utf8")),
);
