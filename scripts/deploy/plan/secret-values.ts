import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import * as z from "zod";
import type { MissingSecret } from "./plan.ts";

/** Where the values of secrets come from. */
export interface SecretSources {
  /** File with values by name, in JSON, which only its owner may read. New values are added to it. */
  file: string | undefined;
  /** Values by name that the environment of the command has. */
  given: Readonly<Record<string, string | undefined>>;
  /** Asks on the terminal, without showing what is typed; null where nobody can answer. */
  ask: ((question: string) => Promise<string>) | null;
  /** Returns a new random secret. */
  random: () => string;
}

const values = z.record(z.string(), z.string().min(1));

function readSecrets(file: string): Record<string, string> {
  if (!existsSync(file)) return {};
  // Windows has no such modes.
  if (process.platform !== "win32" && (statSync(file).mode & 0o077) !== 0)
    throw new Error(`Other users may read ${file}. Run chmod 600 ${file}.`);
  const parsed = values.safeParse(JSON.parse(readFileSync(file, "utf8")));
  if (!parsed.success)
    throw new Error(`${file} must contain a JSON object with the values of secrets by name.`);
  return parsed.data;
}

/**
 * Returns the values of the secrets that workers lack, by name: from the file, else from the environment, else from the
 * terminal, else random. Nothing prints them. A file keeps the random ones too, so that a later worker can get them: Cloudflare shows none again. Throws
 * if a value is needed that a worker has already, and nobody gives it.
 */
export async function secretValues(
  missing: readonly MissingSecret[],
  { file, given, ask, random }: SecretSources,
): Promise<Map<string, string>> {
  const known = file === undefined ? {} : readSecrets(file);
  const found = new Map<string, string>();
  for (const { name, workers, sameAs } of missing) {
    const value = known[name] ?? given[name] ?? (ask ? await ask(questionFor(name, workers, sameAs)) : "");
    if (value === "" && sameAs !== null)
      throw new Error(
        `${workers.join(", ")} needs the value of ${name} that ${sameAs} has, and Cloudflare does not show it. Give it in a file: --secrets-file FILE. If it is lost, see "A lost secret" in docs/guides/deploy.md.`,
      );
    found.set(name, value === "" ? random() : value);
  }
  if (file !== undefined && found.size > 0)
    writeFileSync(file, `${JSON.stringify({ ...known, ...Object.fromEntries(found) }, null, 2)}\n`, {
      mode: 0o600,
    });
  return found;
}

const questionFor = (name: string, workers: readonly string[], sameAs: string | null): string =>
  sameAs === null
    ? `${name} of ${workers.join(", ")} (Enter for a random one, which nobody can read later): `
    : `${name} of ${workers.join(", ")}, the value that ${sameAs} has: `;
