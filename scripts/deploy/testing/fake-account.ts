import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Unstable_RawConfig as RawConfig } from "wrangler";
import type { CommandResult } from "../../wrangler.ts";

type Configuration = RawConfig & { name: string };

interface FakeVersion {
  id: string;
  tag: string | null;
  message: string | null;
  created: string;
  /** The code that a test gave the worker when the version was uploaded. */
  code: string;
  configuration: Configuration;
  secrets: string[];
}

interface FakeDeployment {
  created: string;
  message: string;
  versions: { version_id: string; percentage: number }[];
}

interface FakeWorker {
  versions: FakeVersion[];
  /** Newest last. */
  deployments: FakeDeployment[];
  secrets: Map<string, string>;
  migrationTag: string | null;
  /** Configuration whose routes, crons, consumers and Workflows apply. */
  triggers: Configuration | null;
}

/** A command that failed as wrangler's do: it prints an error, and changes nothing. */
class CommandError extends Error {}

const apiError = (path: string, message: string, code: number): CommandError =>
  new CommandError(
    `✘ [ERROR] A request to the Cloudflare API (/accounts/some-account/${path}) failed.\n\n  ${message} [code: ${code}]\n`,
  );

/** Returns the value after an option; null if the option is not among the arguments. */
const option = (args: readonly string[], name: string): string | null => {
  const at = args.indexOf(name);
  return at < 0 ? null : args[at + 1];
};

const readConfiguration = (args: readonly string[]): Configuration =>
  JSON.parse(readFileSync(option(args, "-c") as string, "utf8"));

/**
 * A Cloudflare account in memory behind a fake of wrangler. Its commands print what wrangler 4.156 prints, and it refuses
 * what Cloudflare refuses: a binding of something that does not exist, a version of a worker that does not exist, a worker
 * without its secrets, a class that exists already or that cannot be taken over.
 */
export class FakeAccount {
  readonly databases = new Map<string, { uuid: string; sqlite: DatabaseSync; where: string[] }>();
  readonly namespaces = new Map<string, string>();
  /** Buckets by name, with their jurisdiction. */
  readonly buckets = new Map<string, string>();
  readonly queues = new Set<string>();
  readonly workers = new Map<string, FakeWorker>();
  /** Owner of each class of Durable Objects: the worker that has its objects, by the id of the namespace. */
  readonly objects = new Map<string, { worker: string; className: string }>();
  readonly calls: string[] = [];
  /** Code of each worker, by its full name. */
  readonly code = new Map<string, string>();
  /** Called before each command; throws to imitate a command that is killed. */
  before: (command: string) => void = () => undefined;
  #clock = Date.parse("2026-01-01T00:00:00Z");

  readonly run = async (args: string[], input = ""): Promise<CommandResult> => {
    const command = args.join(" ");
    this.before(command);
    this.calls.push(command);
    try {
      const [output, ...entries] = this.#answer(args, input);
      return { code: 0, output, entries };
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return { code: 1, output: error.message, entries: [] };
    }
  };

  /** Returns the shares of a worker's versions by the code that they have. */
  serving(name: string): Record<string, number> {
    const worker = this.workers.get(name);
    const latest = worker?.deployments.at(-1)?.versions ?? [];
    return Object.fromEntries(
      latest.map(({ version_id, percentage }) => [
        worker?.versions.find(({ id }) => id === version_id)?.code ?? "",
        percentage,
      ]),
    );
  }

  /** Returns the full name of the worker that has the objects of a class. */
  ownersOf(className: string): string[] {
    return [...this.objects.values()]
      .filter((each) => each.className === className)
      .map(({ worker }) => worker);
  }

  #now(): string {
    this.#clock += 1000;
    return new Date(this.#clock).toISOString();
  }

  #answer(args: string[], input: string): [string, ...unknown[]] {
    const [area, verb, third, fourth] = args;
    switch (`${area} ${verb}`) {
      case "d1 list":
        return [
          JSON.stringify(
            [...this.databases].map(([name, { uuid }]) => ({ uuid, name })),
            null,
            2,
          ),
        ];
      case "d1 create":
        if (this.databases.has(third))
          throw apiError("d1/database", "A database with that name already exists", 7502);
        this.databases.set(third, {
          uuid: randomUUID(),
          sqlite: new DatabaseSync(":memory:"),
          where: args.slice(3),
        });
        return [`✅ Successfully created DB '${third}'\n\nCreated your new D1 database.\n`];
      case "d1 execute":
        return [this.#execute(third, option(args, "--command") as string)];
      case "d1 migrations":
        return [this.#migrate(fourth, args)];
      case "kv namespace":
        if (third === "list")
          return [
            JSON.stringify(
              [...this.namespaces].map(([title, id]) => ({ id, title })),
              null,
              2,
            ),
          ];
        this.namespaces.set(fourth, randomUUID().replaceAll("-", ""));
        return [`🌀 Creating namespace with title "${fourth}"\n✨ Success!\n`];
      case "r2 bucket":
        return [this.#bucket(third, fourth, option(args, "--jurisdiction") ?? "")];
      case "queues info":
        if (!this.queues.has(third))
          throw new CommandError(
            `✘ [ERROR] Queue "${third}" does not exist. To create it, run: wrangler queues create ${third}\n`,
          );
        return [`Queue Name: ${third}\n`];
      case "queues create":
        this.queues.add(third);
        return [`🌀 Creating queue '${third}'\n✅ Created queue '${third}'\n`];
      case "deployments status":
        return [this.#status(option(args, "--name") as string)];
      case "versions list":
        return [this.#versions(option(args, "--name") as string)];
      case "versions upload":
        return this.#uploadVersion(args);
      case "versions deploy":
        return [this.#deployVersions(args)];
      case "triggers deploy": {
        const configuration = readConfiguration(args);
        this.#worker(configuration.name).triggers = configuration;
        return [
          `Deployed ${configuration.name} triggers (0.50 sec)\n${this.#targets(configuration).join("\n")}\n`,
        ];
      }
      case "secret list":
        return [this.#secrets(option(args, "--name") as string)];
      case "secret put":
        this.#worker(option(args, "--name") as string).secrets.set(third, input);
        return [`✨ Success! Uploaded secret ${third}\n`];
      default:
        if (area === "deploy") return args.includes("--dry-run") ? [this.#bundle(args)] : this.#deploy(args);
        throw new Error(`The fake of wrangler has no command "${args.join(" ")}".`);
    }
  }

  #worker(name: string): FakeWorker {
    const worker = this.workers.get(name);
    if (!worker)
      throw apiError(`workers/scripts/${name}`, "This Worker does not exist on your account.", 10007);
    return worker;
  }

  #execute(name: string, sql: string): string {
    const database = this.databases.get(name);
    if (!database)
      throw new CommandError(
        `✘ [ERROR] Couldn't find a D1 DB with the name or binding '${name}' in your wrangler.json file.\n`,
      );
    // wrangler refuses longer arguments, as Linux does, and D1 longer statements.
    if (Buffer.byteLength(sql) > 128 * 1024) throw new Error("The argument of a command is too long.");
    const { sqlite } = database;
    const statements = sql.split(/;\n|;$/).filter((each) => each.trim() !== "");
    sqlite.exec("BEGIN");
    try {
      const results = statements.map((statement) => ({
        results: sqlite.prepare(statement).all(),
        success: true,
        meta: { duration: 0.1 },
      }));
      sqlite.exec("COMMIT");
      return JSON.stringify(results, null, 2);
    } catch (error) {
      sqlite.exec("ROLLBACK");
      throw new CommandError(
        JSON.stringify({ error: { text: error instanceof Error ? error.message : String(error) } }),
      );
    }
  }

  #migrate(name: string, args: string[]): string {
    const configuration = readConfiguration(args);
    const entry = configuration.d1_databases?.find(({ database_name }) => database_name === name);
    const database = this.databases.get(name);
    if (!entry || !database || entry.database_id !== database.uuid)
      throw apiError("d1/database", `The database ${entry?.database_id} could not be found`, 7404);
    const folder = join(dirname(option(args, "-c") as string), entry.migrations_dir as string);
    database.sqlite.exec(
      "CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)",
    );
    const applied = database.sqlite
      .prepare("SELECT name FROM d1_migrations")
      .all()
      .map((row) => row.name);
    for (const file of readdirSync(folder).sort()) {
      if (!file.endsWith(".sql") || applied.includes(file)) continue;
      database.sqlite.exec(readFileSync(join(folder, file), "utf8"));
      database.sqlite.prepare("INSERT INTO d1_migrations (name) VALUES (?)").run(file);
    }
    return "🌀 Executing on remote database\n";
  }

  #bucket(verb: string, name: string, jurisdiction: string): string {
    if (verb === "create") {
      this.buckets.set(name, jurisdiction);
      return `✅ Created bucket '${name}' with default storage class of Standard.\n`;
    }
    if (this.buckets.get(name) !== jurisdiction)
      throw apiError(`r2/buckets/${name}`, "The specified bucket does not exist.", 10006);
    return JSON.stringify({ name, created: "2026-01-01T00:00:00.000Z", object_count: "0" }, null, 2);
  }

  #status(name: string): string {
    const worker = this.#worker(name);
    const latest = worker.deployments.at(-1);
    if (!latest) throw new CommandError(`✘ [ERROR] The Worker ${name} has no deployments.\n`);
    return JSON.stringify(
      {
        id: randomUUID(),
        source: "wrangler",
        strategy: "percentage",
        author_email: "somebody@example.com",
        created_on: latest.created,
        annotations: { "workers/message": latest.message, "workers/triggered_by": "deployment" },
        versions: latest.versions,
      },
      null,
      2,
    );
  }

  #versions(name: string): string {
    return JSON.stringify(
      this.#worker(name)
        .versions.slice(-10)
        .map(({ id, created, tag, message }, i) => ({
          id,
          number: i + 1,
          metadata: {
            created_on: created,
            modified_on: created,
            source: "wrangler",
            author_email: "somebody@example.com",
          },
          annotations: {
            ...(tag === null ? {} : { "workers/tag": tag }),
            ...(message === null ? {} : { "workers/message": message }),
            "workers/triggered_by": "version_upload",
          },
        })),
      null,
      2,
    );
  }

  #secrets(name: string): string {
    const worker = this.workers.get(name);
    if (!worker)
      throw new CommandError(
        `✘ [ERROR] Worker "${name}" not found.\n\n  If this is a new Worker, run \`wrangler deploy\` first to create it.\n`,
      );
    return JSON.stringify(
      [...worker.secrets.keys()].map((each) => ({ name: each, type: "secret_text" })),
      null,
      2,
    );
  }

  #bundle(args: string[]): string {
    const folder = option(args, "--outdir");
    const { name, main } = readConfiguration(args);
    if (folder !== null && main !== undefined) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "index.js"), this.code.get(name) ?? "first");
      writeFileSync(join(folder, "README.md"), `This folder was generated at ${this.#now()}.`);
    }
    return main === undefined
      ? "--dry-run: exiting now.\n"
      : "Total Upload: 100.00 KiB / gzip: 30.00 KiB\n--dry-run: exiting now.\n";
  }

  /** Throws if a binding of a configuration refers to something that does not exist. */
  #checkBindings({
    name,
    services,
    durable_objects,
    d1_databases,
    kv_namespaces,
    r2_buckets,
    queues,
  }: Configuration) {
    const path = `workers/scripts/${name}`;
    for (const { service } of services ?? [])
      if (!this.workers.has(service) && service !== name)
        throw apiError(
          path,
          `Could not resolve service binding. Target script '${service}' not found.`,
          10143,
        );
    for (const { class_name, script_name } of durable_objects?.bindings ?? [])
      if (script_name !== undefined && !this.ownersOf(class_name).includes(script_name))
        throw apiError(path, `Script ${script_name} does not export class ${class_name}.`, 10061);
    const uuids = new Set([...this.databases.values()].map(({ uuid }) => uuid));
    for (const { database_id, database_name } of d1_databases ?? [])
      if (!uuids.has(database_id as string))
        throw apiError(
          path,
          `binding of ${database_name} of type d1 must have a valid \`id\` specified`,
          10021,
        );
    const ids = new Set(this.namespaces.values());
    for (const { id } of kv_namespaces ?? [])
      if (!ids.has(id as string)) throw apiError(path, `KV namespace '${id}' not found.`, 10041);
    for (const { bucket_name, jurisdiction } of r2_buckets ?? [])
      if (this.buckets.get(bucket_name as string) !== (jurisdiction ?? ""))
        throw apiError(path, `R2 bucket '${bucket_name}' not found.`, 10085);
    const used = [
      ...(queues?.producers ?? []).map(({ queue }) => queue as string),
      ...(queues?.consumers ?? []).flatMap((each) => [each.queue, each.dead_letter_queue ?? each.queue]),
    ];
    for (const queue of used)
      if (!this.queues.has(queue)) throw new CommandError(`✘ [ERROR] Queue "${queue}" does not exist.\n`);
  }

  /** Returns the steps of migrations that a worker has not applied. */
  #pending({ name, migrations = [] }: Configuration) {
    const tag = this.workers.get(name)?.migrationTag ?? null;
    return migrations.slice(migrations.findIndex((each) => each.tag === tag) + 1);
  }

  #applyMigrations(configuration: Configuration): void {
    const { name } = configuration;
    const path = `workers/scripts/${name}`;
    const pending = this.#pending(configuration);
    for (const { new_sqlite_classes = [], transferred_classes = [] } of pending) {
      for (const className of new_sqlite_classes) {
        if (this.ownersOf(className).includes(name))
          throw apiError(
            path,
            `Cannot apply new-sqlite-class migration to class ${className} that is already depended on by existing Durable Objects`,
            10074,
          );
        this.objects.set(randomUUID(), { worker: name, className });
      }
      for (const { from, from_script, to } of transferred_classes) {
        const found = [...this.objects.values()].find(
          ({ worker, className }) => worker === from_script && className === from,
        );
        if (!found)
          throw apiError(
            path,
            `Cannot transfer class ${from} of ${from_script}, which does not exist.`,
            10070,
          );
        Object.assign(found, { worker: name, className: to });
      }
    }
    const worker = this.workers.get(name);
    const tag = pending.at(-1)?.tag;
    if (worker && tag !== undefined) worker.migrationTag = tag;
  }

  /** Uploads a version, with the migrations of Durable Objects that its worker has not applied, or fails as a whole. */
  #addVersion(args: string[], configuration: Configuration): FakeVersion {
    const { name } = configuration;
    this.#checkBindings(configuration);
    const worker = this.workers.get(name);
    const file = option(args, "--secrets-file");
    const given: Record<string, string> = file === null ? {} : JSON.parse(readFileSync(file, "utf8"));
    const secrets = new Map([...(worker?.secrets ?? []), ...Object.entries(given)]);
    for (const required of configuration.secrets?.required ?? [])
      if (!secrets.has(required))
        throw new CommandError(`✘ [ERROR] The following required secrets have not been set: ${required}\n`);
    this.#applyMigrations(configuration);
    const tag = option(args, "--tag");
    if ((tag?.length ?? 0) > 25) throw apiError(`workers/scripts/${name}`, "The tag is too long.", 10021);
    const version: FakeVersion = {
      id: randomUUID(),
      tag,
      message: option(args, "--message"),
      created: this.#now(),
      code: this.code.get(name) ?? "first",
      configuration,
      secrets: [...secrets.keys()],
    };
    const target: FakeWorker = worker ?? {
      versions: [],
      deployments: [],
      secrets: new Map(),
      migrationTag: null,
      triggers: null,
    };
    target.versions.push(version);
    for (const [key, value] of Object.entries(given)) target.secrets.set(key, value);
    this.workers.set(name, target);
    return version;
  }

  #deploy(args: string[]): [string, ...unknown[]] {
    const configuration = readConfiguration(args);
    const { name } = configuration;
    const version = this.#addVersion(args, configuration);
    const worker = this.#worker(name);
    worker.migrationTag = configuration.migrations?.at(-1)?.tag ?? worker.migrationTag;
    worker.triggers = configuration;
    worker.deployments.push({
      created: this.#now(),
      message: version.message ?? "",
      versions: [{ version_id: version.id, percentage: 100 }],
    });
    const targets = this.#targets(configuration);
    return [
      `Uploaded ${name} (1.00 sec)\nDeployed ${name} triggers (0.50 sec)\n${targets.join("\n")}\nCurrent Version ID: ${version.id}\n`,
      { type: "deploy", version: 1, worker_name: name, version_id: version.id, targets },
    ];
  }

  #uploadVersion(args: string[]): [string, ...unknown[]] {
    const configuration = readConfiguration(args);
    const { name } = configuration;
    if (!this.workers.has(name))
      throw new CommandError(
        "✘ [ERROR] You cannot upload a new version of a Worker that does not yet exist. Please run the `deploy` command first.\n",
      );
    if (this.#pending(configuration).length > 0)
      throw new CommandError(
        "✘ [ERROR] This Worker has a pending Durable Object migration, which cannot be applied by `wrangler versions upload`.\n",
      );
    const version = this.#addVersion(args, configuration);
    return [
      `Uploaded ${name} (1.00 sec)\nWorker Version ID: ${version.id}\n`,
      { type: "version-upload", version: 1, worker_name: name, version_id: version.id },
    ];
  }

  #deployVersions(args: string[]): string {
    const { name } = readConfiguration(args);
    const worker = this.#worker(name);
    const versions = args
      .slice(2)
      .filter((each) => /@[\d.]+%$/.test(each))
      .map((each) => ({ version_id: each.split("@")[0], percentage: Number.parseFloat(each.split("@")[1]) }));
    const unknown = versions.find(({ version_id }) => worker.versions.every(({ id }) => id !== version_id));
    if (unknown)
      throw apiError(`workers/scripts/${name}/versions/${unknown.version_id}`, "Version not found.", 10082);
    if (versions.reduce((sum, { percentage }) => sum + percentage, 0) !== 100)
      throw new CommandError("✘ [ERROR] Sum of specified percentages must be 100\n");
    worker.deployments.push({ created: this.#now(), message: option(args, "--message") ?? "", versions });
    return `╰  SUCCESS  Deployed ${name} version ${versions[0].version_id} at ${versions[0].percentage}%\n`;
  }

  #targets({ name, workers_dev, routes, triggers }: Configuration): string[] {
    return [
      ...(workers_dev ? [`https://${name}.some-account.workers.dev`] : []),
      ...(routes ?? []).map((route) => (typeof route === "string" ? route : route.pattern)),
      ...(triggers?.crons ?? []).map((cron) => `schedule: ${cron}`),
    ];
  }
}
