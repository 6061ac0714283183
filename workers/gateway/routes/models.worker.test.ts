import { describe, expect, it } from "vitest";
import { sampleManifest } from "../testing/sample-requests.ts";
import { createTestGateway } from "../testing/test-gateway.ts";

describe("POST /v1/models", () => {
  const form = (parts: Record<string, string | File>) => {
    const data = new FormData();
    for (const [name, part] of Object.entries(parts)) data.set(name, part);
    return data;
  };
  const model = new File([new Uint8Array(3)], "model.onnx");

  it("registers a model from a manifest, as text or file, and an ONNX file", async () => {
    const { call } = createTestGateway();
    const asText = form({ manifest: JSON.stringify(sampleManifest), model });
    expect((await call("POST", "/v1/models", { body: asText })).status).toBe(201);
    const asFile = form({ manifest: new File([JSON.stringify(sampleManifest)], "manifest.json"), model });
    expect((await call("POST", "/v1/models", { body: asFile })).status).toBe(201);
  });

  it("refuses missing, malformed and oversized parts", async () => {
    const { call } = createTestGateway();
    const bad = [
      form({ model }),
      form({ manifest: "{", model }),
      form({ manifest: `${"[".repeat(50)}${"]".repeat(50)}`, model }),
      form({ manifest: JSON.stringify({ ...sampleManifest, more: "x".repeat(600_000) }), model }),
      form({ manifest: JSON.stringify({ ...sampleManifest, sha256: "x" }), model }),
      form({ manifest: JSON.stringify({ ...sampleManifest, surprise: 1 }), model }),
      form({ manifest: JSON.stringify(sampleManifest), model: "text" }),
      form({ manifest: JSON.stringify(sampleManifest), model, more: "x" }),
      form({ manifest: JSON.stringify(sampleManifest), model: new File([], "empty.onnx") }),
    ];
    for (const body of bad) expect((await call("POST", "/v1/models", { body })).status).toBe(400);
    const headers = { "content-type": "multipart/form-data; boundary=x" };
    expect((await call("POST", "/v1/models", { body: "no parts", headers })).status).toBe(400);
    expect((await call("POST", "/v1/models", { body: {} })).status).toBe(415);
  });
});
