import type { ApiOperation } from "./operations.ts";

const product = { title: "One", price: 1, currency: "EUR" };
const event = (userId: string) => ({ eventId: "sample", userId, type: "view", productId: "x" });

/** A valid JSON body of each operation, for the given user where the body names one. */
const bodies: Record<string, (userId: string) => object> = {
  "POST /v1/recommendations": (userId) => ({ userId }),
  "POST /v1/recommendations/batch": (userId) => ({ userIds: [userId] }),
  "POST /v1/events": (userId) => ({ events: [event(userId)] }),
  "PUT /v1/users/{id}/location": () => ({ lat: 1, lon: 2 }),
  "POST /v1/users/{id}/merge": () => ({ from: `anon-${"a".repeat(22)}` }),
  "PUT /v1/users/{id}": () => ({ home: null }),
  "PATCH /v1/users/{id}": () => ({ home: null }),
  "PUT /v1/products/{id}": () => product,
  "PATCH /v1/products/{id}": () => ({ price: 2 }),
  "PUT /v1/catalog/schema": () => ({ attributes: { color: { type: "string" } } }),
  "POST /v1/keys": () => ({ role: "server" }),
  "POST /v1/keys/{id}/rotate": () => ({ overlapSeconds: 1 }),
  "POST /v1/rebuild": () => ({}),
  "POST /v1/recalibrations": () => ({}),
  "PUT /v1/experiments/{name}": () => ({ variants: [{ name: "a" }, { name: "b" }] }),
  "POST /v1/evaluations": () => ({ boost: { coffee: 2 } }),
  "POST /v1/tokens": (userId) => ({ userId }),
  "POST /v1/sessions": () => ({}),
  "POST /v1/sessions/renew": () => ({}),
  "PUT /v1/scenarios/{name}": () => ({ diversity: 0.5 }),
  "PUT /v1/imports/{name}": () => ({ status: "done", done: 1, total: 1 }),
};

/** A valid manifest, of a model of three bytes. */
export const sampleManifest = {
  version: "v1",
  sha256: "0".repeat(64),
  featureHash: "f",
  opset: 17,
  bytes: 3,
  parameters: 1,
  inputs: [],
  outputs: [],
  metrics: {},
  dataWindow: { name: "d", from: null, to: null, events: 1 },
  parent: null,
  seed: 1,
  createdAt: "2026-01-01T00:00:00Z",
  golden: { candidates: 0, inputs: {}, outputs: {} },
};

/** Query strings of the operations that require parameters. */
const queries: Record<string, string> = {
  "GET /v1/locations/nearby": "?lat=1&lon=2",
  "GET /v1/locations/resolve": "?lat=1&lon=2",
};

/** A valid request without a credential. */
export interface SampleRequest {
  method: string;
  path: string;
  options: { body?: string | FormData | Uint8Array; headers?: Record<string, string> };
}

/** Returns a valid request of an operation; `userId` is the user in its body. */
export function sampleRequestOf(
  { name, path, method, body: type }: ApiOperation,
  userId = "x",
): SampleRequest {
  const target = { method, path: `${path}${queries[name] ?? ""}` };
  if (type === null) return { ...target, options: {} };
  if (type.startsWith("image/"))
    return { ...target, options: { body: new Uint8Array([0xff, 0xd8]), headers: { "content-type": type } } };
  if (type === "multipart/form-data") return { ...target, options: { body: upload() } };
  const headers = { "content-type": type };
  if (type === "application/x-ndjson") {
    const line = name.includes("events") ? event(userId) : { id: "x", ...product };
    return { ...target, options: { body: JSON.stringify(line), headers } };
  }
  const body = bodies[name];
  if (!body) throw new Error(`${name} needs a JSON body; add a sample to bodies in sample-requests.ts.`);
  return { ...target, options: { body: JSON.stringify(body(userId)), headers } };
}

function upload(): FormData {
  const form = new FormData();
  form.set("manifest", JSON.stringify(sampleManifest));
  form.set("model", new File([new Uint8Array(3)], "model.onnx"));
  return form;
}
