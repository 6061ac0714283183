import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "../workers.ts";

/** Folders whose code the workers bundle. */
const folders = "{durable-objects,model,shared,workers}";

it("zod is imported as a namespace, since its object `z` brings the texts of fifty languages into a bundle", () => {
  const files = globSync(`${folders}/**/*.ts`, { cwd: root });
  const others = files.filter((file) =>
    /^import (?!type )(?!\* as z )[^;]* from "zod";/m.test(readFileSync(join(root, file), "utf8")),
  );
  expect(files.length).toBeGreaterThan(500);
  expect(others).toEqual([]);
});
