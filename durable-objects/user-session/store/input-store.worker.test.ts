/// <reference types="@cloudflare/vitest-plugin/types" />

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { SessionStore } from "./session-store.ts";

const { USER_SESSION } = env as UserSessionEnv;
const time = 1_800_000_000;
const bytes = new Uint8Array([1, 2, 3]);

/** Runs a test on the tables of an object of its own, with inputs of two recommendations. */
const withInputs = (name: string, test: (store: SessionStore, storage: DurableObjectStorage) => void) =>
  runInDurableObject(USER_SESSION.get(USER_SESSION.idFromName(name)), (_object, { storage }) => {
    const store = new SessionStore(storage);
    store.createTables();
    store.inputs.put("old", time, bytes);
    store.inputs.put("new", time + 10, bytes);
    test(store, storage);
  });

const idsIn = ({ sql }: DurableObjectStorage): string[] =>
  sql
    .exec<{ id: string }>("SELECT id FROM recorded_inputs ORDER BY id")
    .toArray()
    .map(({ id }) => id);

describe("recorded inputs", () => {
  it("are found by their recommendation", () =>
    withInputs("found", (store) => {
      expect(new Uint8Array(store.inputs.find("old") ?? [])).toEqual(bytes);
      expect(store.inputs.find("other")).toBeNull();
    }));

  it("are deleted with the receipts of their time", () =>
    withInputs("expired", (store, storage) => {
      store.prune(time + 5, 0);
      expect(idsIn(storage)).toEqual(["new"]);
    }));

  it("are deleted when the user is erased, or merged into another one", () =>
    withInputs("erased", (store, storage) => {
      store.startNextGeneration(1, time);
      expect(idsIn(storage)).toEqual([]);
    }));

  it("need no table before the first of them", () =>
    runInDurableObject(USER_SESSION.get(USER_SESSION.idFromName("empty")), (_object, { storage }) => {
      const store = new SessionStore(storage);
      store.createTables();
      store.startNextGeneration(1, time);
      expect(store.inputs.find("any")).toBeNull();
    }));
});
