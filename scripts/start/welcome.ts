import type { Product } from "../../shared/contracts/product.ts";
import type { ApiTarget } from "../api/send-with-retries.ts";

interface Page<T> {
  items: T[];
}

async function getPage<T>(target: ApiTarget, path: string): Promise<T> {
  const answer = await fetch(`${target.url}${path}`, { headers: { authorization: `Bearer ${target.key}` } });
  if (!answer.ok)
    throw new Error(`GET ${path} answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
  return (await answer.json()) as T;
}

/** Prints where everything is, and three commands that work as they stand on what is loaded. */
export async function printWelcome(target: ApiTarget, port: number): Promise<void> {
  const base = `http://localhost:${port}`;
  const people = await getPage<Page<{ id: string }>>(target, "/v1/users?limit=1");
  const products = await getPage<Page<Product>>(target, "/v1/products?limit=50");
  const person = people.items[0]?.id ?? "someone-new";
  const product = products.items.find((each) => each.location !== null) ?? products.items[0];
  const place = product?.location ?? { lat: 40.7128, lon: -74.006 };
  const [lat, lon] = [place.lat.toFixed(4), place.lon.toFixed(4)];
  const key = `-H "authorization: Bearer dev-client-key"`;
  const json = `-H "content-type: application/json"`;
  const recommend = JSON.stringify({
    userId: person,
    location: { lat: Number(lat), lon: Number(lon) },
    limit: 3,
  });
  const event = JSON.stringify({
    events: [{ eventId: "my-first-view", userId: person, type: "view", productId: product?.id ?? "unknown" }],
  });
  console.log(`
Serving at ${base}: playground /, documentation /docs, operations /ops, API /openapi.json
Keys for this machine only: dev-client-key, dev-admin-key. Ctrl-C ends it; what it knows is kept.

What should this person see, here, now?
  curl -s ${base}/v1/recommendations ${key} ${json} -d '${recommend}'
They look at something; the next answer knows:
  curl -s ${base}/v1/events ${key} ${json} -d '${event}'
What is near?
  curl -s "${base}/v1/locations/nearby?lat=${lat}&lon=${lon}&limit=5" ${key}
`);
}
