import { describe, expect, it } from "vitest";
import { VicinityError } from "../../client/transport.ts";
import { Vicinity } from "../../client/vicinity.ts";
import { createTestGateway } from "./testing/test-gateway.ts";

const { app } = createTestGateway();
const client = (credential = "dev-admin-key") =>
  new Vicinity({ url: "http://localhost/", credential, fetch: async (url, init) => app.request(url, init) });

describe("the TypeScript client", () => {
  it("sends requests that the gateway accepts, by each of its methods", async () => {
    const vicinity = client();
    const { users, products, keys } = vicinity;
    expect(await products.put({ id: "p1", title: "One" })).toMatchObject({ id: "p1", available: true });
    expect(await products.putMany([{ id: "p2", title: "Two" }])).toMatchObject({ accepted: 1 });
    expect(await products.patch("p1", { price: 3 })).toMatchObject({ price: 3 });
    expect(await products.get("p1")).toMatchObject({ totals: { view: 0 } });
    expect((await products.list({ limit: 1 })).items).toHaveLength(1);
    expect(await products.similar("p1", { limit: 3 })).toMatchObject({ items: [] });
    const image = new Blob([new Uint8Array([0xff, 0xd8])], { type: "image/jpeg" });
    expect(await products.putImage("p1", 0, image)).toMatchObject({ contentType: "image/jpeg" });
    await products.deleteImage("p1", 0);
    await expect(products.deleteImage("p1", 1)).rejects.toMatchObject({ problem: { code: "not_found" } });
    await products.remove("p2");

    expect(await users.put("ann", { home: { lat: 1, lon: 2 } })).toMatchObject({ id: "ann" });
    expect(await users.patch("ann", { home: null })).toMatchObject({ home: null });
    expect((await users.list()).items).toHaveLength(1);
    expect(await users.setLocation("ann", { lat: 1, lon: 2 })).toMatchObject({ location: { city: "Oslo" } });
    expect((await users.listInteractions("ann", { limit: 5 })).items).toEqual([]);
    expect(await users.erase("ann")).toMatchObject({ id: "e1", status: "done" });

    expect(await vicinity.recommend({ userId: "ann" })).toMatchObject({ recommendationId: "r1" });
    const event = { eventId: "e", userId: "ann", type: "view", productId: "p1" } as const;
    expect(await vicinity.sendEvents([event])).toMatchObject({ accepted: 1 });
    expect(await vicinity.importEvents([event])).toMatchObject({ accepted: 1 });
    expect(await vicinity.nearby({ lat: 1, lon: 2 }, { radiusKm: 5 })).toMatchObject({
      searched: { complete: true },
    });
    expect(await vicinity.resolveLocation({ lat: 1, lon: 2 })).toMatchObject({ city: "Oslo" });
    expect(await vicinity.trending()).toMatchObject({ items: [] });
    const key = await keys.create({ role: "server", scopes: ["people:read"] });
    expect(await client(key.key).users.list()).toMatchObject({ items: [{ id: "ann" }] });
    const rotated = await keys.rotate(key.id, 60);
    expect(rotated).toMatchObject({ scopes: ["people:read"], replaces: { id: key.id } });
    await keys.revoke(key.id);
    expect((await keys.list()).items.find(({ id }) => id === key.id)?.revokedAt).not.toBeNull();
    const { token } = await vicinity.issueToken("cleo");
    expect(await client(token).recommend({ userId: "cleo" })).toMatchObject({ variant: "default" });
  });

  it("throws a VicinityError with the problem of the response", async () => {
    const refused = await client("dev-server-key")
      .users.get("ann")
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(VicinityError);
    expect(refused).toMatchObject({ problem: { status: 403, code: "forbidden" }, retryAfter: null });
    const bad = await client()
      .recommend({ userId: " a" })
      .catch((error: unknown) => error);
    expect(bad).toMatchObject({ problem: { errors: [{ path: "userId" }] } });
  });

  it("E7: refuses ids that no path can contain, since `users/..` would name something else", async () => {
    const { users, products } = client();
    for (const id of [".", "..", "", "a\ud800"]) {
      await expect(users.get(id)).rejects.toThrow(/^The id must be 1-128 bytes of printable Unicode/);
      await expect(users.erase(id)).rejects.toThrow(TypeError);
      await expect(products.remove(id)).rejects.toThrow(TypeError);
    }
  });
});
