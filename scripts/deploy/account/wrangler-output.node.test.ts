import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runWrangler } from "../../wrangler.ts";
import {
  type ApiAnswer,
  type ApiRequest,
  type CloudflareApi,
  startCloudflareApi,
} from "../testing/cloudflare-api.ts";
import { Account, NotLoggedInError, PendingMigrationError } from "./account.ts";

const folder = mkdtempSync(join(tmpdir(), "vicinity-wrangler-output-"));
afterAll(() => rmSync(folder, { recursive: true }));

const created = "2026-01-31T12:00:00.000000Z";
const version = (id: string, tag: string) => ({
  id,
  number: 1,
  metadata: {
    created_on: created,
    modified_on: created,
    source: "wrangler",
    author_email: "somebody@example.com",
  },
  annotations: { "workers/tag": tag, "workers/triggered_by": "version_upload" },
  resources: { bindings: [], script: { etag: "etag", handlers: ["fetch"] }, script_runtime: {} },
  startup_time_ms: 5,
});
const script = {
  id: "cell",
  tag: "script-tag",
  tags: [],
  migration_tag: "v1",
  last_deployed_from: "wrangler",
};
const worker = "/workers/scripts/cell";

/** What an account with a worker `cell`, a database, a namespace, a bucket and a queue answers. */
function answer({ method, path, query }: ApiRequest): ApiAnswer | null {
  // Wrangler asks for pages until one is not full, and for queues by their name.
  if (Number(query.get("page") ?? 1) > 1 || (query.has("name") && query.get("name") !== "known"))
    return { result: [] };
  const results: Record<string, unknown> = {
    "GET /d1/database": [{ uuid: "database-id", name: "known", created_at: created, version: "production" }],
    "GET /storage/kv/namespaces": [{ id: "namespace-id", title: "known", supports_url_encoding: true }],
    "GET /r2/buckets/known": {
      name: "known",
      creation_date: created,
      location: "WEUR",
      storage_class: "Standard",
    },
    "GET /queues": [
      { queue_id: "queue-id", queue_name: "known", settings: {}, producers: [], consumers: [] },
    ],
    [`GET ${worker}/deployments`]: {
      deployments: [
        {
          id: "deployment-id",
          source: "wrangler",
          strategy: "percentage",
          author_email: "somebody@example.com",
          created_on: created,
          annotations: {},
          versions: [
            { version_id: "first", percentage: 95 },
            { version_id: "second", percentage: 5 },
          ],
        },
      ],
    },
    [`GET ${worker}/versions`]: { items: [version("second", "vic-2"), version("first", "vic-1")] },
    [`GET ${worker}/versions/first`]: version("first", "vic-1"),
    [`GET ${worker}/versions/second`]: version("second", "vic-2"),
    [`GET ${worker}/secrets`]: [{ name: "A_SECRET", type: "secret_text" }],
    [`POST ${worker}/versions`]: version("third", "vic-3"),
    [`POST ${worker}/deployments`]: { id: "new-deployment" },
    [`PATCH ${worker}/script-settings`]: {},
    [`GET ${worker}/script-settings`]: {},
    [`GET ${worker}/subdomain`]: { enabled: false, previews_enabled: false },
    "GET /workers/services/cell": { default_environment: { environment: "production", script } },
  };
  const result = results[`${method} ${path}`];
  if (result !== undefined) return { result };
  if (path.startsWith("/r2/buckets/"))
    return { code: 10006, message: "The specified bucket does not exist." };
  if (path.startsWith("/workers/scripts/missing"))
    return { code: 10007, message: "This Worker does not exist on your account." };
  if (path === "/workers/services/missing")
    return { code: 10090, message: "workers.api.error.service_not_found" };
  return null;
}

const long = process.env.VICINITY_LONG === "1";

/** Runs wrangler itself, a second for each command: the fake of other tests must print what it prints. */
describe.runIf(long)(
  "Account, with the real wrangler and a fake of Cloudflare's API",
  { timeout: 120_000 },
  () => {
    let api: CloudflareApi;
    let account: Account;
    beforeAll(async () => {
      api = await startCloudflareApi(answer);
      account = new Account((args, input) => runWrangler(args, input, api.variables));
    });
    afterAll(() => api.close());

    const write = (name: string, changes: object) => {
      const file = join(folder, `${name}.json`);
      writeFileSync(
        join(folder, "index.js"),
        "export default { fetch() { return new Response(); } };\nexport class Cell {}\n",
      );
      const base = {
        name,
        main: "index.js",
        compatibility_date: "2026-11-01",
        workers_dev: false,
        preview_urls: false,
      };
      writeFileSync(file, JSON.stringify({ ...base, ...changes }));
      return file;
    };
    const options = { tag: "vic-3", message: "a release", secretsFile: null };

    it("reads what exists, and tells it from what does not", async () => {
      expect(await account.databases()).toEqual(new Map([["known", "database-id"]]));
      expect(await account.namespaces()).toEqual(new Map([["known", "namespace-id"]]));
      expect(await account.hasBucket("unknown", {})).toBe(false);
      expect(await account.hasQueue("known")).toBe(true);
      expect(await account.hasQueue("unknown")).toBe(false);
      expect(await account.worker("missing")).toBeNull();
      expect(await account.worker("cell")).toEqual({
        deployed: [
          { versionId: "first", percentage: 95 },
          { versionId: "second", percentage: 5 },
        ],
        versions: expect.arrayContaining([
          { versionId: "first", tag: "vic-1" },
          { versionId: "second", tag: "vic-2" },
        ]),
      });
      expect(await account.secretNames("missing")).toEqual([]);
      expect(await account.secretNames("cell")).toEqual(["A_SECRET"]);
    });

    it("uploads a version and returns its id, and shifts requests in the order that is given", async () => {
      expect(await account.upload(write("cell", {}), options)).toBe("third");
      await account.shift(
        write("cell", {}),
        [
          { versionId: "first", percentage: 75 },
          { versionId: "second", percentage: 25 },
        ],
        "a release",
      );
      const shift = api.requests.findLast(
        ({ method, path }) => method === "POST" && path === `${worker}/deployments`,
      );
      expect(JSON.parse(shift?.body ?? "{}")).toMatchObject({
        versions: [
          { version_id: "first", percentage: 75 },
          { version_id: "second", percentage: 25 },
        ],
        annotations: { "workers/message": "a release" },
      });
    });

    it("says that a version changes classes of Durable Objects", async () => {
      const config = write("cell", {
        durable_objects: { bindings: [{ name: "CELL", class_name: "Cell" }] },
        migrations: [
          { tag: "v1", new_sqlite_classes: ["Cell"] },
          { tag: "v2", new_sqlite_classes: ["Other"] },
        ],
      });
      await expect(account.upload(config, options)).rejects.toThrow(PendingMigrationError);
    });

    it("says that nobody is logged in", async () => {
      const stranger = new Account((args, input) =>
        runWrangler(args, input, {
          ...api.variables,
          CLOUDFLARE_API_TOKEN: "",
          HOME: folder,
          XDG_CONFIG_HOME: folder,
        }),
      );
      await expect(stranger.databases()).rejects.toThrow(NotLoggedInError);
    });
  },
);

it("has a long form that runs wrangler itself", () => {
  expect(answer({ method: "GET", path: "/nowhere", query: new URLSearchParams(), body: "" })).toBeNull();
});
