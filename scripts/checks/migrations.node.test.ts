import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../workers.ts";
import { incompatibleStatements, unusedMark } from "./incompatible-statements.ts";

/** Migrations before there were environments. Until then all workers were replaced at once. */
const before: Readonly<Record<string, string>> = {
  gateway: "0005",
  location: "0000",
  product: "0007",
  recommendation: "0005",
  user: "0006",
};

const folder = join(root, "migrations");
const newMigrations = readdirSync(folder).flatMap((database) =>
  readdirSync(join(folder, database))
    .filter((file) => file.endsWith(".sql") && file.slice(0, 4) > (before[database] ?? ""))
    .map((file) => `${database}/${file}`),
);

describe("migrations of databases", () => {
  it.each(["none", ...newMigrations])("leave what the release before uses (%s)", (file) => {
    const sql = file === "none" ? "" : readFileSync(join(folder, file), "utf8");
    expect(incompatibleStatements(sql), `see "Compatibility" in docs/guides/deploy.md`).toEqual([]);
  });
});

describe("incompatibleStatements", () => {
  it("finds what removes or renames, and columns that the release before does not fill", () => {
    for (const statement of [
      "DROP TABLE `people`",
      "ALTER TABLE `people` DROP COLUMN `home`",
      "ALTER TABLE `people` RENAME TO `users`",
      "ALTER TABLE `people` RENAME COLUMN `a` TO `b`",
      "ALTER TABLE `people` ADD `country` text NOT NULL",
      "CREATE UNIQUE INDEX `one` ON `people` (`home`)",
    ])
      expect(
        incompatibleStatements(`CREATE TABLE a (b text);\n--> statement-breakpoint\n${statement};`),
      ).toEqual([statement]);
  });

  it("allows what adds, and what the release before does not use", () => {
    for (const statement of [
      "CREATE TABLE `users` (`id` text PRIMARY KEY)",
      "CREATE INDEX `by_home` ON `people` (`home`)",
      "CREATE TABLE `new` (`id` text);\n--> statement-breakpoint\nCREATE UNIQUE INDEX `one` ON `new` (`id`)",
      "ALTER TABLE `people` ADD `country` text",
      "ALTER TABLE `people` ADD `country` text NOT NULL DEFAULT ''",
      "INSERT INTO a VALUES ('DROP TABLE b')",
      `${unusedMark} it was read until 0.3\nDROP TABLE \`people\``,
    ])
      expect(incompatibleStatements(`${statement};`), statement).toEqual([]);
  });
});
