import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { secretIn } from "../start/state-secrets.ts";
import { type SecretStore, secretName } from "./secret-store.ts";

/** The first secret's file has no number. */
const fileName = (number: number): string => (number === 1 ? "token-secret" : `token-secret-${number}`);

function numberOf(file: string): number | null {
  const found = /^token-secret(?:-(\d+))?$/.exec(file);
  return found && Number(found[1] ?? 1);
}

const numbersIn = (stateDir: string): number[] =>
  readdirSync(stateDir)
    .flatMap((file) => numberOf(file) ?? [])
    .sort((a, b) => a - b);

/** Returns the token secrets of a local state as variables of the gateway, by name. Creates the first one. */
export function tokenSecretVariables(stateDir: string): Record<string, string> {
  if (numbersIn(stateDir).length === 0) secretIn(stateDir, fileName(1));
  return Object.fromEntries(
    numbersIn(stateDir).map((number) => [
      secretName(number),
      readFileSync(join(stateDir, fileName(number)), "utf8"),
    ]),
  );
}

/** Token secrets in files of a state directory, which only its owner may read. */
export class LocalSecrets implements SecretStore {
  readonly effect = "The next npm start uses it.";
  readonly #stateDir: string;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
  }

  async list() {
    return numbersIn(this.#stateDir).map((number) => {
      const text = readFileSync(join(this.#stateDir, fileName(number)), "utf8");
      const start = /^(\d{1,12}):/.exec(text);
      return { number, signsFrom: start ? Number(start[1]) : null };
    });
  }

  async put({ number }: { number: number }, value: string): Promise<void> {
    writeFileSync(join(this.#stateDir, fileName(number)), value, { mode: 0o600, flag: "wx" });
  }

  async delete(number: number): Promise<void> {
    rmSync(join(this.#stateDir, fileName(number)));
  }
}
