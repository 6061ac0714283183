import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Searched } from "../../shared/contracts/location.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import { importProducts, waitForNearbyProducts } from "../support/import-products.ts";
import { openLiveSocket } from "../support/live-socket.ts";
import { pollUntil } from "../support/polling.ts";
import { generateProducts, oslo } from "../support/products.ts";
import { TestStack } from "../support/test-stack.ts";

// Inputs that once gave a wrong list, through all workers. Each test is named after its case.

const stack = new TestStack();
/** A village in the ocean: nothing else is within hundreds of kilometers. */
const village: Point = { lat: -50, lon: 2 };
const villageProducts = generateProducts("village", village, 30).map((each, i) => ({
  ...each,
  // Within one kilometer.
  location: { lat: village.lat + i / 4000, lon: village.lon },
}));
const osloProducts = generateProducts("oslo", oslo, 60);
/** Two names of categories whose 32-bit hashes are equal. */
const colliding = ["Drinks > Sets > Glass XL", "Lighting > Wax > Cotton"];
/** Three products of one brand; the second one is of oak. */
const acme = [0, 1, 2].map((i) => ({
  ...{ ...osloProducts[i], id: `acme-${i}`, brand: "Acme" },
  attributes: { material: i === 1 ? "oak" : "glass", margin: i === 2 ? 1e6 : 1 },
}));
/** Hats far from everything, which nobody has chosen: by their titles two are alike, and by brand and material others. */
const hats = [
  ...["Blue wool hat", "Straw fedora", "Leather cap", "Red wool hat", "Silk turban", "Cotton beret"],
  ...["Felt bowler", "Rain hood", "Sun visor", "Linen bucket"],
].map((title, i) => ({
  ...{ ...osloProducts[0], id: `hat-${i}`, title, category: "hats", location: { lat: 30, lon: -120 } },
}));
const special = [
  ...acme,
  ...hats,
  { ...osloProducts[0], id: "rare", category: "observatory", location: { lat: 60.1, lon: 10.8 } },
  { ...osloProducts[0], id: "glass", category: colliding[0] },
  { ...osloProducts[0], id: "wax", category: colliding[1] },
  ...["s", "m", "l"].map((size) => ({ ...osloProducts[0], id: `shirt-${size}`, groupId: "shirt" })),
];
const locationOf = new Map(
  [...villageProducts, ...osloProducts, ...special].map(({ id, location }) => [id, location as Point]),
);

interface List {
  items: {
    productId: string;
    rank?: number;
    product?: { available: boolean; category: string };
    available?: boolean;
  }[];
  next?: string | null;
  searched: Searched;
}
const idsOf = ({ items }: List): string[] => items.map(({ productId }) => productId);

async function recommend(body: object): Promise<List> {
  const answer = await stack.call<List>("POST", "/v1/recommendations", { body: { userId: "ann", ...body } });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
}

beforeAll(async () => {
  await stack.start();
  const filterable = true;
  const schema = {
    attributes: { material: { type: "string", filterable }, margin: { type: "number", filterable } },
  };
  expect((await stack.call("PUT", "/v1/catalog/schema", { body: schema })).status).toBe(200);
  await importProducts(stack, [...villageProducts, ...osloProducts, ...special]);
  await waitForNearbyProducts(stack, village, villageProducts);
  await pollUntil(
    () => recommend({ location: oslo, limit: 100 }),
    ({ items }) => items.length >= 60,
  );
});
afterAll(() => stack.stop());

describe("near is near", () => {
  it("L1: shows the products of a village first, and what is far behind them, by distance", async () => {
    expect(
      idsOf(await recommend({ location: village, limit: 10 })).every((id) => id.startsWith("village")),
    ).toBe(true);
    const list = await recommend({ location: village, limit: 60 });
    const ids = idsOf(list);
    expect(ids.slice(0, 30).every((id) => id.startsWith("village"))).toBe(true);
    expect(list.searched).toEqual({ radiusKm: 20_038, complete: true });
    const far = ids.slice(30).map((id) => {
      const { lat, lon } = locationOf.get(id) ?? oslo;
      return distanceKm(village.lat, village.lon, lat, lon);
    });
    expect(far.length).toBe(30);
    expect(far).toEqual([...far].sort((a, b) => a - b));
  });

  it("L1: trending and similar widen in the same way", async () => {
    const query = `lat=${village.lat}&lon=${village.lon}&limit=40`;
    const { body: trending } = await stack.call<List>("GET", `/v1/trending?${query}`);
    expect(idsOf(trending)).toHaveLength(40);
    expect(
      idsOf(trending)
        .slice(0, 30)
        .every((id) => id.startsWith("village")),
    ).toBe(true);
    const { body: similar } = await stack.call<List>("GET", "/v1/products/village-0/similar?limit=20");
    expect(idsOf(similar)).toHaveLength(20);
    expect(
      idsOf(similar)
        .slice(0, 7)
        .every((id) => id.startsWith("village")),
    ).toBe(true);
    expect(similar.searched.complete).toBe(true);
  });

  it("similar begins with products of a like title, though nobody has chosen any", async () => {
    const { body } = await pollUntil(
      () => stack.call<List>("GET", "/v1/products/hat-0/similar?limit=20&category=hats"),
      (each) => each.body.items.length === hats.length - 1,
    );
    expect(idsOf(body)[0]).toBe("hat-3");
    const { body: others } = await stack.call<List>("GET", "/v1/products/hat-3/similar?limit=1");
    expect(idsOf(others)).toEqual(["hat-0"]);
  });

  it("L2: finds the one product of a category, 20 km away and from another continent", async () => {
    const filter = { categories: ["observatory"], radiusKm: 60 };
    expect(idsOf(await recommend({ location: oslo, filter }))).toEqual(["rare"]);
    const anywhere = await recommend({ location: village, filter: { categories: ["observatory"] } });
    expect(idsOf(anywhere)).toEqual(["rare"]);
    expect((await recommend({ location: village, filter })).items).toEqual([]);
  });

  it("finds what an expression describes, in every list, and refuses a wrong one", async () => {
    const expression = 'product.category == "observatory" && distanceKm < 60.0';
    expect(idsOf(await recommend({ location: oslo, filter: { expression } }))).toEqual(["rare"]);
    expect((await recommend({ location: village, filter: { expression } })).items).toEqual([]);
    expect(
      idsOf(await recommend({ location: oslo, filter: { expression: "user.choices > 1000000" } })),
    ).toEqual([]);
    const at = `lat=${oslo.lat}&lon=${oslo.lon}`;
    const paths = [
      `/v1/trending?${at}&`,
      `/v1/locations/nearby?${at}&`,
      `/v1/users/ann/recommendations?${at}&`,
      "/v1/products/oslo-0/similar?category=observatory&",
    ];
    const wrong = encodeURIComponent('product.categry == "cafe"');
    for (const path of paths) {
      const list = await stack.call<List>("GET", `${path}expression=${encodeURIComponent(expression)}`);
      expect(list.status, JSON.stringify(list.body)).toBe(200);
      expect(idsOf(list.body), path).toEqual(["rare"]);
      expect(await stack.call("GET", `${path}expression=${wrong}`), path).toMatchObject({
        status: 400,
        body: {
          code: "invalid_input",
          errors: [
            {
              path: "expression",
              position: { line: 1, column: 1, length: 15 },
              nearest: "product.category",
            },
          ],
        },
      });
    }
    const body = { userId: "ann", filter: { expression: "product.price <" } };
    expect(await stack.call("POST", "/v1/recommendations", { body })).toMatchObject({
      status: 400,
      body: {
        errors: [{ path: "filter.expression", message: "line 1, column 16: ends where a value is expected" }],
      },
    });
  });

  it("L8: a next page is empty only after the last product", async () => {
    const seen: string[] = [];
    for (let page = 0; page < 10; page++) {
      const ids = idsOf(await recommend({ location: oslo, candidates: 20, limit: 20, exclude: seen }));
      expect(ids.some((id) => seen.includes(id))).toBe(false);
      if (ids.length === 0) break;
      seen.push(...ids);
    }
    // Of the shirt's sizes one is on each page; all products come at last.
    expect(new Set(seen).size).toBe(villageProducts.length + osloProducts.length + special.length);
  });
});

describe("pages", () => {
  /** Returns the pages of a list, up to its end. */
  async function pagesOf(body: object, maxPages = 20): Promise<List[]> {
    const pages = [await recommend(body)];
    while (pages.length < maxPages && typeof pages[pages.length - 1].next === "string")
      pages.push(await recommend({ ...body, cursor: pages[pages.length - 1].next }));
    return pages;
  }

  it("show each product of the catalog once, also with few candidates, and then end", async () => {
    const pages = await pagesOf({ location: oslo, limit: 20, candidates: 20 });
    const items = pages.flatMap((each) => each.items);
    // Of the shirt's sizes, the list shows one.
    expect(items).toHaveLength(villageProducts.length + osloProducts.length + special.length - 2);
    expect(new Set(items.map(({ productId }) => productId)).size).toBe(items.length);
    expect(items.map(({ rank }) => rank)).toEqual(items.map((_, i) => i + 1));
    expect(pages.at(-1)?.next).toBeNull();
  });

  it("obey a cap together, and find what is left of other categories", async () => {
    const pages = await pagesOf({ location: oslo, limit: 3, candidates: 20, caps: { perCategory: 2 } });
    const shown = pages.flatMap(({ items }) => items.map(({ product }) => product?.category));
    const all = [...villageProducts, ...osloProducts, ...special];
    for (const category of new Set(all.map((each) => each.category))) {
      const inCatalog = all.filter((each) => each.category === category).length;
      expect(shown.filter((each) => each === category)).toHaveLength(Math.min(2, inCatalog));
    }
  });

  it("go on in a scenario, around a pin, and after a list by query parameters", async () => {
    const pins = [{ productId: "village-3", position: 15 }];
    const [first, second] = await pagesOf({ location: oslo, scenario: "home", pins }, 2);
    expect(idsOf(first)).not.toContain("village-3");
    expect(idsOf(second)[4]).toBe("village-3");
    const { body } = await stack.call<List>("GET", `/v1/users/ann/recommendations?category=coffee&limit=2`);
    const filter = { categories: ["coffee"] };
    const more = await recommend({ filter, limit: 2, cursor: body.next });
    expect(more.items.map(({ rank }) => rank)).toEqual([3, 4]);
  });

  it("refuse the cursor of another user or request, and name the field", async () => {
    const { next } = await recommend({ location: oslo });
    for (const body of [
      { userId: "bob", cursor: next },
      { userId: "ann", cursor: next, diversity: 1 },
      { userId: "ann", cursor: "AAAA" },
    ])
      expect(await stack.call("POST", "/v1/recommendations", { body })).toMatchObject({
        status: 400,
        body: { code: "invalid_input", errors: [{ path: "cursor" }] },
      });
    const settings = { limit: 5, cursor: next };
    expect(await stack.call("PUT", "/v1/scenarios/paged", { body: settings })).toMatchObject({ status: 400 });
  });
});

describe("a batch", () => {
  const recommendBatch = (body: object, key?: string) =>
    stack.call<{ items: { userId: string; recommendation?: List & { recommendationId: string } }[] }>(
      "POST",
      "/v1/recommendations/batch",
      { body, ...(key ? { key } : {}) },
    );

  it("has a list for each user, which goes on and has a receipt", async () => {
    const userIds = ["ann", "never-seen", "Zoë 42"];
    const filter = { categories: ["coffee"] };
    const { status, body } = await recommendBatch({ userIds, filter, limit: 4 });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.items.map(({ userId }) => userId)).toEqual(userIds);
    for (const { userId, recommendation } of body.items) {
      expect(recommendation?.items).toHaveLength(4);
      const more = await recommend({ userId, filter, cursor: recommendation?.next });
      expect(more.items[0].rank).toBe(5);
      const receipt = await pollUntil(
        () => stack.call("GET", `/v1/recommendations/${recommendation?.recommendationId}`),
        (each) => each.status === 200,
      );
      expect(receipt.body.items).toHaveLength(4);
    }
  });

  it("is refused for a wrong request, and for a credential of one user", async () => {
    expect(await recommendBatch({ userIds: ["ann"], scenario: "unknown" })).toMatchObject({
      status: 400,
      body: { errors: [{ path: "scenario" }] },
    });
    expect(await recommendBatch({ userIds: ["ann"], location: oslo })).toMatchObject({ status: 400 });
    const { body: token } = await stack.call("POST", "/v1/tokens", { body: { userId: "ann" } });
    expect(await recommendBatch({ userIds: ["ann"] }, String(token.token))).toMatchObject({ status: 403 });
  });
});

describe("identity", () => {
  it("L10: a filter tells categories apart whose hashes are equal", async () => {
    for (const [i, category] of colliding.entries()) {
      const expected = [["glass"], ["wax"]][i];
      expect(idsOf(await recommend({ location: oslo, filter: { categories: [category] } }))).toEqual(
        expected,
      );
      const query = `lat=${oslo.lat}&lon=${oslo.lon}&category=${encodeURIComponent(category)}`;
      for (const path of [`/v1/trending?${query}`, `/v1/locations/nearby?${query}`])
        expect(idsOf((await stack.call<List>("GET", path)).body)).toEqual(expected);
    }
    const boosted = idsOf(await recommend({ location: oslo, limit: 100, boost: { [colliding[0]]: 0 } }));
    expect(boosted).toContain("wax");
    expect(boosted).not.toContain("glass");
  });

  it("shows one of a group of variants", async () => {
    const query = `lat=${oslo.lat}&lon=${oslo.lon}&limit=100`;
    const lists = [
      await recommend({ location: oslo, limit: 100 }),
      (await stack.call<List>("GET", `/v1/trending?${query}`)).body,
      (await stack.call<List>("GET", `/v1/locations/nearby?${query}`)).body,
      (await stack.call<List>("GET", "/v1/products/oslo-0/similar?limit=100")).body,
    ];
    for (const list of lists) expect(idsOf(list).filter((id) => id.startsWith("shirt"))).toHaveLength(1);
    const { body: similar } = await stack.call<List>("GET", "/v1/products/shirt-s/similar?limit=100");
    expect(idsOf(similar).filter((id) => id.startsWith("shirt"))).toEqual([]);
  });
});

describe("rules of a request", () => {
  it("pins a product that is on another continent, until its time is over", async () => {
    const pins = [{ productId: "village-3", position: 2 }];
    expect(idsOf(await recommend({ location: oslo, limit: 5, pins }))[1]).toBe("village-3");
    const over = [{ ...pins[0], until: "2020-01-01T00:00:00Z" }];
    expect(idsOf(await recommend({ location: oslo, limit: 5, pins: over }))).not.toContain("village-3");
    const filter = { radiusKm: 100 };
    expect(idsOf(await recommend({ location: oslo, limit: 5, pins, filter }))).not.toContain("village-3");
    const unknown = [{ productId: "nothing", position: 1 }];
    expect(idsOf(await recommend({ location: oslo, limit: 5, pins: unknown }))).toHaveLength(5);
  });

  it("moves products that meet a condition, and pins the best of them", async () => {
    const isAcme = 'product.brand == "Acme"';
    const boosts = [{ when: isAcme, multiply: 100 }];
    const boosted = idsOf(await recommend({ location: oslo, limit: 10, boosts }));
    expect(new Set(boosted.slice(0, 3))).toEqual(new Set(acme.map(({ id }) => id)));
    const oak = [{ when: 'product.attributes.material == "oak"', add: 10 }];
    expect(idsOf(await recommend({ location: oslo, limit: 10, boosts: oak }))[0]).toBe("acme-1");
    const pins = [2, 4].map((position) => ({ when: isAcme, position }));
    const pinned = idsOf(await recommend({ location: oslo, limit: 10, pins }));
    const best = boosted.filter((id) => id.startsWith("acme")).slice(0, 2);
    expect([pinned[1], pinned[3]]).toEqual(best);
    const wrong = { boosts: [...boosts, { when: 'product.attributes.materail == "oak"', add: 1 }] };
    const body = { userId: "ann", location: oslo, ...wrong };
    expect(await stack.call("POST", "/v1/recommendations", { body })).toMatchObject({
      status: 400,
      body: { errors: [{ path: "boosts[1].when", nearest: "product.attributes.material" }] },
    });
  });

  it("limits products of a brand, and of a value of a declared attribute", async () => {
    const acmeOf = async (rules: object): Promise<string[]> =>
      idsOf(await recommend({ location: oslo, limit: 100, ...rules })).filter((id) => id.startsWith("acme"));
    expect(await acmeOf({})).toHaveLength(3);
    expect(await acmeOf({ caps: { perBrand: 2 } })).toHaveLength(2);
    expect(await acmeOf({ collapse: ["brand"] })).toHaveLength(1);
    for (const rules of [
      { caps: { perAttribute: { material: 1 } } },
      { collapse: ["group", "attributes.material"] },
    ]) {
      const ids = await acmeOf(rules);
      expect(ids).toHaveLength(2);
      expect(ids).toContain("acme-1");
    }
    const body = { userId: "ann", location: oslo, collapse: ["attributes.materials"] };
    expect(await stack.call("POST", "/v1/recommendations", { body })).toMatchObject({
      status: 400,
      body: { errors: [{ path: "collapse[0]", nearest: "material" }] },
    });
  });

  it("orders by the expected worth of outcomes, and refuses an attribute that is no number", async () => {
    const objective = { purchase: 10, margin: "margin" };
    // Products without the attribute count with the mean of the others, so only those that have it are compared.
    const filter = { expression: 'product.brand == "Acme"' };
    expect(idsOf(await recommend({ location: oslo, limit: 3, filter }))[0]).not.toBe("acme-2");
    expect(idsOf(await recommend({ location: oslo, limit: 3, filter, objective }))[0]).toBe("acme-2");
    for (const margin of ["material", "margins"]) {
      const body = { userId: "ann", location: oslo, objective: { ...objective, margin } };
      expect(await stack.call("POST", "/v1/recommendations", { body })).toMatchObject({
        status: 400,
        body: { errors: [{ path: "objective.margin" }] },
      });
    }
  });

  it("shows all variants, or some, if the list is not collapsed by group", async () => {
    const shirts = async (rules: object): Promise<number> =>
      idsOf(await recommend({ location: oslo, limit: 100, candidates: 500, ...rules })).filter((id) =>
        id.startsWith("shirt"),
      ).length;
    expect(await shirts({ collapse: [] })).toBe(3);
    expect(await shirts({ collapse: [], caps: { perGroup: 2 } })).toBe(2);
    expect(await shirts({ collapse: ["group"] })).toBe(1);
  });

  it("shows one product of each category", async () => {
    const list = await recommend({ location: oslo, limit: 100, collapse: ["category"] });
    const categories = list.items.map(({ product }) => product?.category);
    expect(new Set(categories).size).toBe(categories.length);
    expect(categories.length).toBeGreaterThan(3);
  });

  it("hides a product that the user viewed often", async () => {
    for (const eventId of ["view-1", "view-2"]) {
      const events = [{ eventId, userId: "ben", productId: "village-5", type: "view" }];
      expect((await stack.call("POST", "/v1/events", { body: { events } })).status).toBe(202);
    }
    const list = async (rules: object) =>
      idsOf(await recommend({ userId: "ben", location: village, limit: 30, ...rules }));
    expect(await list({})).toContain("village-5");
    expect(await list({ hide: { viewed: { times: 2, days: 7 } } })).not.toContain("village-5");
    expect(await list({ hide: { viewed: { times: 3, days: 7 } } })).toContain("village-5");
  });
});

it("L12: refuses a field that nothing reads", async () => {
  const body = { userId: "ann", context: { page: "home" } };
  const answer = await stack.call("POST", "/v1/recommendations", { body });
  expect(answer.status).toBe(400);
  expect(JSON.stringify(answer.body)).toContain("context");
});

describe("one rule for all paths", () => {
  const near = `lat=${oslo.lat}&lon=${oslo.lon}`;
  /** A rule as the fields of a filter, by their names in a body and in a query. */
  interface Rule {
    filter?: object;
    exclude?: string[];
    query?: string;
  }
  const get = async (path: string): Promise<List> => {
    const { status, body } = await stack.call<List>("GET", path);
    expect(status, JSON.stringify(body)).toBe(200);
    return body;
  };
  const paths: Record<string, (rule: Rule) => Promise<List>> = {
    recommendations: ({ filter, exclude }) => recommend({ location: oslo, limit: 100, filter, exclude }),
    "recommendations by query": ({ query = "" }) =>
      get(`/v1/users/ann/recommendations?${near}&limit=100&${query}`),
    similar: ({ query = "" }) => get(`/v1/products/oslo-4/similar?limit=100&${query}`),
    trending: ({ query = "" }) => get(`/v1/trending?${near}&limit=100&${query}`),
    nearby: ({ query = "" }) => get(`/v1/locations/nearby?${near}&limit=100&${query}`),
  };
  const change = async (method: string, id: string, body?: object): Promise<void> => {
    expect((await stack.call(method, `/v1/products/${id}`, { body })).status).toBeLessThan(300);
  };
  const eventually = async (list: () => Promise<List>, isDone: (ids: string[]) => boolean) =>
    pollUntil(async () => idsOf(await list()), isDone, 20);

  // "oslo-8" is of the same category as "oslo-4", so that all paths show it.
  for (const [name, list] of Object.entries(paths)) {
    it(`${name} shows a product that no rule removes`, async () => {
      expect(
        await eventually(
          () => list({}),
          (ids) => ids.includes("oslo-8"),
        ),
      ).toContain("oslo-8");
    });
    it(`${name} applies filters and exclusions`, async () => {
      const rules: [Rule, (id: string) => boolean][] = [
        [{ exclude: ["oslo-8"], query: "exclude=oslo-8" }, (id) => id !== "oslo-8"],
        [
          { filter: { categories: ["books"] }, query: "category=books" },
          (id) => id.startsWith("shirt") || Number(id.split("-")[1]) % 4 === 0,
        ],
        [
          { filter: { priceMax: 13, currency: "EUR" }, query: "priceMax=13&currency=EUR" },
          (id) => !id.startsWith("oslo-") || Number(id.split("-")[1]) <= 8,
        ],
        [{ filter: { radiusKm: 2 }, query: "radiusKm=2" }, (id) => !id.startsWith("village")],
      ];
      for (const [rule, passes] of rules) {
        const ids = idsOf(await list(rule));
        expect(ids.length, JSON.stringify(rule)).toBeGreaterThan(0);
        expect(
          ids.filter((id) => !passes(id)),
          JSON.stringify(rule),
        ).toEqual([]);
      }
    });
  }

  it("L4, L5: an unavailable product is on no path, unless it is asked for", async () => {
    await change("PATCH", "oslo-8", { available: false });
    const withUnavailable = { filter: { includeUnavailable: true }, query: "includeUnavailable=true" };
    for (const [name, list] of Object.entries(paths)) {
      const ids = await eventually(
        () => list({}),
        (found) => !found.includes("oslo-8"),
      );
      expect(ids, name).not.toContain("oslo-8");
      expect(ids.length, name).toBeGreaterThan(0);
      const asked = await eventually(
        () => list(withUnavailable),
        (found) => found.includes("oslo-8"),
      );
      expect(asked, name).toContain("oslo-8");
    }
    const only = await recommend({
      location: oslo,
      limit: 1,
      filter: { includeUnavailable: true, priceMin: 13, priceMax: 13, currency: "EUR" },
    });
    expect(idsOf(only)).toEqual(["oslo-8"]);
    expect(only.items[0].product?.available).toBe(false);
  });

  it("L4, L6: live pushes leave out what is unavailable, deleted or dismissed", async () => {
    const gone = { unavailable: "oslo-1", deleted: "oslo-2", dismissed: "oslo-3" };
    const socket = await openLiveSocket(stack, "liv");
    let sent = 0;
    /** Sends an event, and returns the ids that the push after it lists. */
    const pushAfter = async (type: string, productId: string): Promise<string[]> => {
      const event = { eventId: `live-${sent++}`, userId: "liv", type, productId, location: oslo };
      expect((await stack.call("POST", "/v1/events", { body: { events: [event] } })).status).toBe(202);
      await pollUntil(
        async () => socket.messages.length,
        // Each event is followed by one push, perhaps after the answer to the next event.
        (count) => count >= sent,
      );
      return idsOf(JSON.parse(socket.messages.at(-1) ?? "{}"));
    };
    for (const id of [...Object.values(gone), ...Object.values(gone)]) await pushAfter("click", id);
    // The product of the last choice ranks low, so the last choice is another one.
    const pushed = await pushAfter("click", "oslo-7");
    // The user chose all three, which are near, so that each push would show them.
    expect(pushed).toEqual(expect.arrayContaining(Object.values(gone)));
    await change("PATCH", gone.unavailable, { available: false });
    await change("DELETE", gone.deleted);
    expect(await pushAfter("dismiss", gone.dismissed)).not.toContain(gone.dismissed);
    const left = await pollUntil(
      () => pushAfter("view", "oslo-7"),
      (ids) => !Object.values(gone).some((id) => ids.includes(id)),
      20,
    );
    socket.close();
    expect(left.filter((id) => Object.values(gone).includes(id))).toEqual([]);
    expect(left.length).toBe(10);
  });

  it("a deleted product is on no path", async () => {
    await change("DELETE", "oslo-12");
    for (const [name, list] of Object.entries(paths))
      expect(
        await eventually(
          () => list({}),
          (ids) => !ids.includes("oslo-12"),
        ),
        name,
      ).not.toContain("oslo-12");
  });
});
