import type { Product } from "../../shared/contracts/product.ts";
import type { ApiTarget } from "../api/send-with-retries.ts";
import { developmentKey } from "./development-key.ts";

/** Location of the example when no product has one: New York. */
const fallbackLocation = { lat: 40.7128, lon: -74.006 };
/** Products among which the example looks for one with a location. */
const productLimit = 50;
/** Characters of an error response that the thrown error quotes. */
const maxQuotedCharacters = 300;

async function getItems<T>(target: ApiTarget, path: string): Promise<T[]> {
  const response = await fetch(`${target.url}${path}`, {
    headers: { authorization: `Bearer ${target.key}` },
  });
  if (!response.ok)
    throw new Error(
      `GET ${path} answered ${response.status}: ${(await response.text()).slice(0, maxQuotedCharacters)}`,
    );
  return ((await response.json()) as { items: T[] }).items;
}

/** Returns three commands that work with the data; for an empty catalog, those that add the first product. */
function commands(base: string, userId = "my-first-user", products: readonly Product[]): string {
  const json = `-H "content-type: application/json"`;
  const admin = `-H "authorization: Bearer ${developmentKey}"`;
  const server = `-H "authorization: Bearer dev-server-key"`;
  const product = products.find(({ location }) => location !== null) ?? products[0];
  const location = product?.location ?? fallbackLocation;
  const [lat, lon] = [location.lat.toFixed(4), location.lon.toFixed(4)];
  const place = { lat: Number(lat), lon: Number(lon) };
  const firstProduct = {
    title: "My first product",
    category: "cafe",
    location: place,
    price: 3,
    currency: "USD",
  };
  const add = `Add a product:
  curl -s -X PUT ${base}/v1/products/my-first-product ${admin} ${json} -d '${JSON.stringify(firstProduct)}'
`;
  const event = {
    eventId: "my-first-view",
    userId,
    type: "view",
    productId: product?.id ?? "my-first-product",
  };
  return `${product ? "" : add}Recommend products to a user at a location:
  curl -s ${base}/v1/recommendations ${server} ${json} -d '${JSON.stringify({ userId, location: place, limit: 3 })}'
Record that the user viewed a product. The next recommendation takes the view into account:
  curl -s ${base}/v1/events ${server} ${json} -d '${JSON.stringify({ events: [event] })}'
List the nearest products:
  curl -s "${base}/v1/locations/nearby?lat=${lat}&lon=${lon}&limit=5" ${server}`;
}

/** Prints the addresses of the pages, the keys, and three commands that work with the imported data without changes. */
export async function printWelcome(target: ApiTarget, port: number): Promise<void> {
  const base = `http://localhost:${port}`;
  const [user] = await getItems<{ id: string }>(target, "/v1/users?limit=1");
  const products = await getItems<Product>(target, `/v1/products?limit=${productLimit}`);
  console.log(`
Vicinity runs at ${base}
  Playground        ${base}/
  API reference     ${base}/docs
  OpenAPI document  ${base}/openapi.json
  Operations        ${base}/ops
API keys, valid on this machine only:
  dev-publishable-key   for pages: reads products and lists, starts anonymous sessions (POST /v1/sessions)
  dev-server-key        for backends: acts for every user
  dev-admin-key         for operators: may do everything
Press Ctrl-C to stop. The next start continues with the same data.

${commands(base, user?.id, products)}
`);
}
