import { describe, expect, it, vi } from "vitest";
import { createdKey, type KeyInput, rotatedKey } from "../../../shared/contracts/credential.ts";
import { GatewayStore } from "../store.ts";
import { namespaceOf } from "../testing/copy-namespace.ts";
import { testEnvironment } from "../testing/test-environment.ts";
import { createTestGateway, signTestToken, unlimitedRate } from "../testing/test-gateway.ts";
import { copyChangedKeys, copyDelaySeconds } from "./copy-keys.ts";
import { hashKey } from "./key.ts";
import { maxUnawaitedMs, refreshMs } from "./key-changes.ts";
import { KeyCopies } from "./key-copies.ts";

/** What the database of a gateway does: it works, fails, or never answers. */
type Database = "works" | "fails" | "hangs";

/** A gateway with its own isolate's memory over the shared database, whose clock and database a test changes. */
function isolate(entries: Map<string, string>, clock: { at: number }) {
  const reads: string[] = [];
  let database: Database = "works";
  let release: (() => void)[] = [];
  const state = {
    get database(): Database {
      return database;
    },
    /** Reads that hang fail once the database does something else. */
    set database(next: Database) {
      database = next;
      for (const end of release) end();
      release = [];
    },
  };
  const store = new GatewayStore(testEnvironment.DB);
  const read =
    <A extends unknown[], T>(name: string, method: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      reads.push(name);
      if (database === "hangs")
        await new Promise<void>((resolve) => {
          release.push(resolve);
        });
      if (database !== "works") throw new Error("D1_ERROR: the database is down");
      return method.apply(store, args);
    };
  store.findKey = read("key", store.findKey);
  store.findIssuer = read("issuer", store.findIssuer);
  store.findChanges = read("changes", store.findChanges);
  const namespace = namespaceOf(entries);
  const copies = new KeyCopies(namespace);
  const gateway = createTestGateway({ store, copies, limiter: unlimitedRate, now: () => clock.at });
  /** Sends a request that any credential may send, and returns its status. Does not wait for the background. */
  const send = async (key: string) => (await gateway.call("GET", "/v1/trending", { key })).status;
  const ask = async (key: string) => {
    const status = await send(key);
    if (state.database !== "hangs") await Promise.all(gateway.pending);
    return status;
  };
  return { gateway, reads, state, namespace, copies, send, ask };
}

/** Isolates that share one KV and one clock; the first one manages keys of an application of its own. */
let applications = 0;
async function world() {
  const entries = new Map<string, string>();
  const clock = { at: Date.now() };
  const first = isolate(entries, clock);
  const application = `copies-${applications++}`;
  const make = async (body: Partial<KeyInput>, key: string) => {
    const made = createdKey.parse(await (await first.gateway.call("POST", "/v1/keys", { body, key })).json());
    await Promise.all(first.gateway.pending);
    return made;
  };
  const admin = await make({ role: "admin", application }, "dev-admin-key");
  return {
    entries,
    clock,
    first,
    application,
    another: () => isolate(entries, clock),
    create: (role: "server" | "publishable" = "server") => make({ role }, admin.key),
    /** Revokes a key. The copies in KV stay as they were if `areStale`. */
    revoke: async (id: string, areStale = false) => {
      const before = [...entries];
      const { status } = await first.gateway.call("DELETE", `/v1/keys/${id}`, { key: admin.key });
      expect(status).toBe(204);
      await Promise.all(first.gateway.pending);
      if (areStale) for (const [name, value] of before) entries.set(name, value);
    },
    rotate: async (id: string) => {
      const body = { overlapSeconds: 3600 };
      const answer = await first.gateway.call("POST", `/v1/keys/${id}/rotate`, { body, key: admin.key });
      await Promise.all(first.gateway.pending);
      return rotatedKey.parse(await answer.json());
    },
  };
}

const silenced = () => vi.spyOn(console, "error").mockImplementation(() => undefined);

describe("a key in an isolate that has requests", () => {
  it("waits for no database, whether the isolate knows it or not", async () => {
    const { create, another, clock, application } = await world();
    const [known, other] = [await create(), await create("publishable")];
    const { ask, send, state, reads } = another();
    expect(await ask(known.key)).toBe(200);
    // A new isolate reads the changes; the key comes from KV.
    expect(reads).toEqual(["changes"]);
    state.database = "hangs";
    const tokens = await Promise.all(
      [known, other].map(({ id }) => signTestToken({ application, keyId: id })),
    );
    for (const wait of [0, refreshMs, refreshMs])
      for (const credential of [known.key, other.key, ...tokens]) {
        clock.at += wait / 4;
        expect(await send(credential)).toBe(200);
      }
    expect(reads.filter((name) => name !== "changes")).toEqual([]);
  });

  it("is refused after a revocation, although its copy is older, in known, new and idle isolates", async () => {
    const { create, another, clock, revoke, application } = await world();
    const key = await create();
    const token = await signTestToken({ application, keyId: key.id });
    const [busy, unaware, idle] = [another(), another(), another()];
    for (const each of [busy, idle])
      expect([await each.ask(key.key), await each.ask(token)]).toEqual([200, 200]);
    expect(await unaware.ask((await create()).key)).toBe(200);
    await revoke(key.id, true);
    const young = another();
    expect([await young.ask(key.key), await young.ask(token)]).toEqual([401, 401]);
    clock.at += refreshMs;
    for (const each of [busy, unaware]) {
      await each.ask("dev-server-key");
      await each.ask((await create()).key);
      expect([await each.ask(key.key), await each.ask(token)]).toEqual([401, 401]);
    }
    clock.at += maxUnawaitedMs;
    expect([await idle.ask(key.key), await idle.ask(token)]).toEqual([401, 401]);
  });

  it("ends with its overlap after a rotation, although its copy has no end", async () => {
    const { create, another, clock, entries, rotate } = await world();
    const key = await create();
    const { ask } = another();
    expect(await ask(key.key)).toBe(200);
    const before = [...entries];
    const { key: successor } = await rotate(key.id);
    for (const [name, value] of before) entries.set(name, value);
    clock.at += maxUnawaitedMs;
    expect([await ask(key.key), await ask(successor)]).toEqual([200, 200]);
    clock.at += 3_600_000;
    expect([await ask(key.key), await ask(successor)]).toEqual([401, 200]);
  });

  it("is read from the database where KV has no copy, or another version's", async () => {
    const { create, another, entries } = await world();
    const key = await create();
    for (const copy of [null, "{}", '{"role":"server"}']) {
      if (copy === null) entries.clear();
      else entries.set(`key/${await hashKey(key.key)}`, copy);
      const { ask, reads } = another();
      expect(await ask(key.key)).toBe(200);
      expect(reads).toContain("key");
    }
  });
});

describe("a key while the database does not answer", () => {
  it.each(["fails", "hangs"] as const)(
    "works as long as KV has its copy, also in new isolates: %s",
    async (database) => {
      const { create, another, clock, entries, application } = await world();
      const key = await create();
      const token = await signTestToken({ application, keyId: key.id, issuedAt: clock.at / 1000 });
      const [warm, young] = [another(), another()];
      expect([await warm.ask(key.key), await warm.ask(token)]).toEqual([200, 200]);
      const logged = silenced();
      for (const each of [warm, young]) each.state.database = database;
      for (let minutes = 0; minutes < 30; minutes++) {
        for (const each of [warm, young])
          expect([await each.ask(key.key), await each.ask(token)]).toEqual([200, 200]);
        clock.at += 60_000;
      }
      // A revocation reaches these isolates by KV within a minute.
      entries.clear();
      for (const each of [warm, young]) {
        each.state.database = "fails";
        for (const text of [key.key, token]) expect(await each.ask(text)).toBe(503);
        each.state.database = "works";
      }
      clock.at += refreshMs;
      await warm.ask(key.key);
      expect([await warm.ask(key.key), await warm.ask(token)]).toEqual([200, 200]);
      logged.mockRestore();
    },
  );

  it("is not taken from a copy that may be older than a change that the isolate knows", async () => {
    const { create, another, revoke } = await world();
    const [key, other] = [await create(), await create()];
    await revoke(other.id, true);
    const { ask, state } = another();
    expect(await ask(key.key)).toBe(200);
    const logged = silenced();
    state.database = "fails";
    expect([await ask(key.key), await ask(other.key)]).toEqual([200, 503]);
    logged.mockRestore();
  });

  it("works for five minutes where KV does not answer either", async () => {
    const { create, another, clock } = await world();
    const key = await create();
    const { ask, state, namespace } = another();
    expect(await ask(key.key)).toBe(200);
    const logged = silenced();
    state.database = "fails";
    namespace.get = () => Promise.reject(new Error("KV GET failed"));
    clock.at += 299_999;
    expect(await ask(key.key)).toBe(200);
    clock.at += 1;
    expect(await ask(key.key)).toBe(503);
    logged.mockRestore();
  });
});

describe("an unknown key", () => {
  it("is looked up in KV and in the database once, and a revoked one that is read meanwhile is not remembered", async () => {
    const { create, another, revoke, clock } = await world();
    const key = await create();
    const { ask, send, gateway, reads, namespace } = another();
    expect(await ask((await create()).key)).toBe(200);
    // The row is read before the revocation, and arrives after another request has read of it.
    const store = gateway.dependencies.store;
    const findKey = store.findKey.bind(store);
    namespace.get = async () => null;
    let isFirst = true;
    store.findKey = async (hash) => {
      const row = await findKey(hash);
      if (!isFirst) return row;
      isFirst = false;
      await revoke(key.id);
      clock.at += refreshMs;
      await send((await create()).key);
      await Promise.all(gateway.pending);
      return row;
    };
    expect(await ask(key.key)).toBe(200);
    expect(await ask(key.key)).toBe(401);
    const before = reads.length;
    for (let i = 0; i < 5; i++) expect(await ask(key.key)).toBe(401);
    expect(reads.slice(before)).toEqual([]);
  });
});

describe("the copies of keys", () => {
  const store = new GatewayStore(testEnvironment.DB);
  /** Copies all changed keys to a namespace, at a time in seconds since the Unix epoch. */
  const copyAll = async (copies: KeyCopies, now: number) => {
    while ((await copyChangedKeys(store, copies, now)) > 0);
  };
  const rowOf = (id: string) =>
    testEnvironment.DB.prepare("SELECT uncopied_since AS since FROM api_keys WHERE id = ?")
      .bind(id)
      .first<{ since: number | null }>();

  it("are written a minute after a change, at most a hundred a run, and then no more", async () => {
    const { create, revoke, clock } = await world();
    const keys = [await create(), await create()];
    await revoke(keys[1].id);
    const now = clock.at / 1000 + copyDelaySeconds + 1;
    const entries = new Map<string, string>();
    const copies = new KeyCopies(namespaceOf(entries));
    await copyAll(copies, clock.at / 1000);
    expect(entries.has(`key/${await hashKey(keys[0].key)}`)).toBe(false);
    await copyAll(copies, now);
    for (const [i, key] of keys.entries()) {
      expect(await copies.findKey(await hashKey(key.key))).toEqual(
        i === 0
          ? expect.objectContaining({ id: key.id, role: "server", application: key.application })
          : null,
      );
      expect(await copies.findIssuer(key.application, key.id)).toEqual(i === 0 ? { expiresAt: null } : null);
      expect(await rowOf(key.id)).toEqual({ since: null });
    }
    expect(await copyChangedKeys(store, copies, now)).toBe(0);
  });

  it("are written of keys that another program inserted", async () => {
    const hash = await hashKey("a key of a script");
    await testEnvironment.DB.prepare(
      "INSERT INTO api_keys (application, id, role, name, hash, created_at) VALUES ('script', 'k', 'admin', 'n', ?, 1)",
    )
      .bind(hash)
      .run();
    const copies = new KeyCopies(namespaceOf(new Map()));
    await copyAll(copies, Date.now() / 1000);
    expect(await copies.findKey(hash)).toMatchObject({ application: "script", role: "admin" });
  });

  it("are written again where a key changes while its copy is written", async () => {
    const { create, revoke, clock } = await world();
    const key = await create();
    const now = () => clock.at / 1000 + copyDelaySeconds + 1;
    const entries = new Map<string, string>();
    const namespace = namespaceOf(entries);
    const put = namespace.put.bind(namespace);
    let isFirst = true;
    namespace.put = async (name, value) => {
      if (isFirst && value.includes(key.id)) {
        isFirst = false;
        clock.at += 5_000;
        await revoke(key.id);
      }
      await put(name, value);
    };
    const copies = new KeyCopies(namespace);
    await copyAll(copies, now());
    expect(await copies.findKey(await hashKey(key.key))).not.toBeNull();
    clock.at += copyDelaySeconds * 1000;
    await copyAll(copies, now());
    expect(await copies.findKey(await hashKey(key.key))).toBeNull();
  });

  it("are not read while KV takes no writes, however long", async () => {
    const { create, revoke, clock, another } = await world();
    const key = await create();
    await revoke(key.id, true);
    const copies = new KeyCopies({
      ...namespaceOf(new Map()),
      delete: () => Promise.reject(new Error("KV DELETE failed")),
    });
    for (let minutes = 0; minutes < 40; minutes++) {
      clock.at += 60_000;
      await copyChangedKeys(store, copies, clock.at / 1000).catch(() => undefined);
      if (minutes % 10 === 9) expect(await another().ask(key.key)).toBe(401);
    }
    expect((await rowOf(key.id))?.since).not.toBeNull();
    await copyAll(new KeyCopies(namespaceOf(new Map())), clock.at / 1000);
  });
});
