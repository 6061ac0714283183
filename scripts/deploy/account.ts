import { z } from "zod";
import type { CommandResult } from "../wrangler.ts";
import type { Resources } from "./resources.ts";

/** Runs wrangler to its end. */
export type RunCommand = (args: string[], input?: string) => Promise<CommandResult>;

const databases = z.array(z.object({ uuid: z.string(), name: z.string() }));
const namespaces = z.array(z.object({ id: z.string(), title: z.string() }));

/** An account at the platform, as wrangler's commands show it. */
export class Account {
  readonly #run: RunCommand;

  constructor(run: RunCommand) {
    this.#run = run;
  }

  /** Runs a command that must succeed, and answers what it printed. */
  async runOrThrow(args: string[], input?: string): Promise<string> {
    const { code, output } = await this.#run(args, input);
    if (code !== 0) throw new Error(`wrangler ${args.slice(0, 3).join(" ")} failed:\n${output.trim()}`);
    return output;
  }

  /** Creates what is missing. Answers the account's id for each placeholder. Safe to run again. */
  async createMissingResources({
    databases: wanted,
    namespaces: spaces,
    buckets,
    queues,
  }: Resources): Promise<Map<string, string>> {
    const ids = new Map<string, string>();
    for (const { placeholder, name } of wanted)
      ids.set(placeholder, await this.#findOrCreate(name, () => this.#databases(), ["d1", "create", name]));
    for (const { placeholder, name } of spaces)
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

  async #findOrCreate(
    name: string,
    list: () => Promise<Map<string, string>>,
    create: string[],
  ): Promise<string> {
    const present = (await list()).get(name);
    if (present !== undefined) return present;
    await this.runOrThrow(create);
    const made = (await list()).get(name);
    if (made === undefined) throw new Error(`"${name}" was created and is not listed.`);
    return made;
  }

  async #databases(): Promise<Map<string, string>> {
    const list = databases.parse(parseJsonList(await this.runOrThrow(["d1", "list", "--json"])));
    return new Map(list.map(({ name, uuid }) => [name, uuid]));
  }

  async #namespaces(): Promise<Map<string, string>> {
    const list = namespaces.parse(parseJsonList(await this.runOrThrow(["kv", "namespace", "list"])));
    return new Map(list.map(({ title, id }) => [title, id]));
  }

  async #createUnlessPresent(probe: string[], create: string[]): Promise<void> {
    if ((await this.#run(probe)).code !== 0) await this.runOrThrow(create);
  }
}

/** The JSON list in an output that may have lines of talk around it. */
function parseJsonList(output: string): unknown {
  const from = output.search(/^\[/m);
  const to = output.lastIndexOf("]");
  if (from < 0 || to < from) throw new Error(`wrangler printed no list:\n${output.trim()}`);
  return JSON.parse(output.slice(from, to + 1));
}
