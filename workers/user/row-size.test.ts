import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { Random } from "../../model/train/random.ts";
import { encodeCoordinate, encodeId, encodeMarks, encodeTime, storedIdSql } from "./compact-columns.ts";

const migrations = join(import.meta.dirname, "../../migrations/user");
/** Generated interactions, and users who have ten of them each. */
const rows = 60_000;
const users = rows / 10;

const hex = (random: Random, digits: number): string =>
  Array.from({ length: digits }, () => Math.floor(random.next() * 16).toString(16)).join("");
const uuid = (random: Random): string => [8, 4, 4, 4, 12].map((digits) => hex(random, digits)).join("-");

/**
 * Returns interactions in the order of their times, as they arrive from all users: event ids are UUIDs, each third
 * follows a recommendation, and half have a location.
 */
function generatedRows() {
  const random = new Random(7);
  return Array.from({ length: rows }, (_, i) => ({
    user: Math.floor(random.next() * users),
    event: uuid(random),
    product: `product-${Math.floor(random.next() * 100_000)}`,
    time: 1_790_000_000 + i / 8,
    location: random.next() < 0.5 ? { lat: round(59 + random.next()), lon: round(10 + random.next()) } : null,
    recommendation:
      random.next() < 1 / 3
        ? Array.from(
            { length: 80 },
            () => "ABCDEFGHabcdefgh0123456789-_"[Math.floor(random.next() * 28)],
          ).join("")
        : null,
  }));
}
const round = (degrees: number): number => Math.round(degrees * 1000) / 1000;

/** Returns the bytes of all pages of a database after `fill`, without those of an empty one. */
function measure(fill: (database: DatabaseSync) => void): number {
  const folder = mkdtempSync(join(tmpdir(), "row-size-"));
  const database = new DatabaseSync(join(folder, "user.sqlite"));
  try {
    for (const file of readdirSync(migrations)
      .filter((name) => name.endsWith(".sql"))
      .sort())
      database.exec(readFileSync(join(migrations, file), "utf8").replaceAll("--> statement-breakpoint", ""));
    const bytes = () => {
      const { page_count: pages } = database.prepare("PRAGMA page_count").get() as { page_count: number };
      return pages * 4096;
    };
    const empty = bytes();
    database.exec("BEGIN");
    fill(database);
    database.exec("COMMIT");
    return bytes() - empty;
  } finally {
    database.close();
    rmSync(folder, { recursive: true });
  }
}

it("an interaction takes at most half of what it took as a row of earlier versions, its user's number included", () => {
  const generated = generatedRows();
  const userId = (user: number): string => `user-${user}`;
  const before = measure((database) => {
    const insert = database.prepare(
      "INSERT INTO interactions VALUES ('demo', ?, ?, 'view', ?, ?, ?, ?, ?, 1, ?, 0, 1)",
    );
    const random = new Random(8);
    for (const { user, event, product, time, location, recommendation } of generated)
      insert.run(
        ...[userId(user), event, product, time, location?.lat ?? null, location?.lon ?? null, recommendation],
        `${uuid(random)}:0`,
      );
  });
  const after = measure((database) => {
    const number = database.prepare("INSERT INTO user_numbers VALUES (?, 'demo', ?)");
    for (let user = 0; user < users; user++) number.run(numberOf(user), userId(user));
    const id = storedIdSql("?2");
    const insert = database.prepare(
      `INSERT INTO recent_interactions VALUES (?1, ${id}, CAST(?3 AS INTEGER), CAST(?4 AS INTEGER), ?5,
         CAST(?6 AS INTEGER), CAST(?7 AS INTEGER), ${storedIdSql("?8")}, NULL, NULL)`,
    );
    for (const { user, event, product, time, location, recommendation } of generated)
      insert.run(
        ...[numberOf(user), encodeId(event), encodeTime(time)],
        ...[encodeMarks({ type: "view", first: 1, firstPurchase: 0, counts: 1 }), product],
        ...[encodeCoordinate(location?.lat ?? null), encodeCoordinate(location?.lon ?? null)],
        recommendation && encodeId(recommendation),
      );
  });
  console.log(
    `bytes of an interaction: ${Math.round(before / rows)} before, ${Math.round(after / rows)} after`,
  );
  expect(after).toBeLessThanOrEqual(before / 2);
});

/** Returns a number as a user of a random bucket has it. */
const numberOf = (user: number): number => ((user * 7919) % 256) * 2 ** 24 - 2 ** 31 + Math.floor(user / 256);
