import * as z from "zod";
import type { CommandResult } from "../wrangler.ts";
import type { Resources } from "./resources.ts";

/** Runs wrangler until it ends. */
export type RunCommand = (args: string[], input?: string) => Promise<CommandResult>;

const databaseList = z.array(z.object({ uuid: z.string(), name: z.string() }));
const secretList = z.array(z.object({ name: z.string() }));
const namespaceList = z.array(z.object({ id: z.string(), title: z.string() }));

/** A Cloudflare account, read and changed through wrangler's commands. */
export class Account {
  readonly #run: RunCommand;

  constructor(run: RunCommand) {
    this.#run = run;
  }

  /** Runs a wrangler command and returns its output. Throws with the output if the command fails. */
  async runOrThrow(args: string[], input?: string): Promise<string> {
    const { code, output } = await this.#run(args, input);
    if (code !== 0) throw new Error(`wrangler ${args.slice(0, 3).join(" ")} failed:\n${output.trim()}`);
    return output;
  }

  /** Creates the resources that the account does not have yet. Returns the account's id for each placeholder id. */
  async createMissingResources({
    databases,
    namespaces,
    buckets,
    queues,
  }: Resources): Promise<Map<string, string>> {
    const ids = new Map<string, string>();
    for (const { placeholder, name } of databases)
      ids.set(placeholder, await this.#findOrCreate(name, () => this.#databases(), ["d1", "create", name]));
    for (const { placeholder, name } of namespaces)
      ids.set(
        placeholder,
        await this.#findOrCreate(name, () => this.#namespaces(), ["kv", "namespace", "create", name]),
      );
    for (const bucket of buckets)
      await this.#createUnlessPresent(["r2", "bucket", "info", bucket], ["r2", "bucket", "create", bucket]);
    for (const queue of queues)
      await this.#createUnlessPresent(["queues", "info", queue], ["queues", "create", queue]);
    return ids;
  }

  /**
   * Returns those of `required` secrets that the worker of a configuration lacks; all, if the worker does not exist yet.
   * Throws if wrangler fails otherwise: a secret that exists must not be taken for a missing one and be replaced.
   */
  async missingSecrets(config: string, required: readonly string[]): Promise<string[]> {
    if (required.length === 0) return [];
    const present = new Set(await this.secretNames(config));
    return required.filter((name) => !present.has(name));
  }

  /**
   * Returns the names of the secrets of a configuration's worker; none, if the worker does not exist yet. Throws if
   * wrangler fails otherwise.
   */
  async secretNames(config: string): Promise<string[]> {
    return (await this.#listSecrets(config)) ?? [];
  }

  /** Returns whether the worker of a configuration exists. Throws if wrangler fails otherwise. */
  async hasWorker(config: string): Promise<boolean> {
    return (await this.#listSecrets(config)) !== null;
  }

  /** Returns the names of a worker's secrets; null if it does not exist. */
  async #listSecrets(config: string): Promise<string[] | null> {
    const { code, output } = await this.#run(["secret", "list", "-c", config]);
    if (code !== 0 && /Worker "[^"]*".* not found/.test(output)) return null;
    if (code !== 0) throw new Error(`wrangler secret list failed:\n${output.trim()}`);
    return secretList.parse(parseJsonList(output)).map(({ name }) => name);
  }

  /** Returns the id of a resource, which it creates if the list does not contain its name. */
  async #findOrCreate(
    name: string,
    list: () => Promise<Map<string, string>>,
    create: string[],
  ): Promise<string> {
    const existingId = (await list()).get(name);
    if (existingId !== undefined) return existingId;
    await this.runOrThrow(create);
    const newId = (await list()).get(name);
    if (newId === undefined)
      throw new Error(
        `wrangler created "${name}" but does not list it. Wait a minute and run the command again.`,
      );
    return newId;
  }

  /** Returns the account's id for the placeholder of each database; null if one does not exist. Creates nothing. */
  async findDatabases({ databases }: Pick<Resources, "databases">): Promise<Map<string, string> | null> {
    const existing = await this.#databases();
    const ids = new Map<string, string>();
    for (const { placeholder, name } of databases) {
      const id = existing.get(name);
      if (id === undefined) return null;
      ids.set(placeholder, id);
    }
    return ids;
  }

  async #databases(): Promise<Map<string, string>> {
    const list = databaseList.parse(parseJsonList(await this.runOrThrow(["d1", "list", "--json"])));
    return new Map(list.map(({ name, uuid }) => [name, uuid]));
  }

  async #namespaces(): Promise<Map<string, string>> {
    const list = namespaceList.parse(parseJsonList(await this.runOrThrow(["kv", "namespace", "list"])));
    return new Map(list.map(({ title, id }) => [title, id]));
  }

  /** Runs `create` if the command `probe` fails. */
  async #createUnlessPresent(probe: string[], create: string[]): Promise<void> {
    if ((await this.#run(probe)).code !== 0) await this.runOrThrow(create);
  }
}

/** Returns the JSON list in wrangler's output, which may have other lines before and after it. */
function parseJsonList(output: string): unknown {
  const from = output.search(/^\[/m);
  const to = output.lastIndexOf("]");
  if (from < 0 || to < from) throw new Error(`wrangler printed no JSON list. Its output:\n${output.trim()}`);
  return JSON.parse(output.slice(from, to + 1));
}
