import { describe, expect, it } from "vitest";
import { openDoor } from "../testing/door.ts";

describe("models", () => {
  const manifest = {
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
  const form = (parts: Record<string, string | File>) => {
    const data = new FormData();
    for (const [name, part] of Object.entries(parts)) data.set(name, part);
    return data;
  };
  const model = new File([new Uint8Array(3)], "model.onnx");

  it("are registered from a manifest and a file", async () => {
    const { call } = openDoor();
    const asText = form({ manifest: JSON.stringify(manifest), model });
    expect((await call("POST", "/v1/models", { body: asText })).status).toBe(201);
    const asFile = form({ manifest: new File([JSON.stringify(manifest)], "manifest.json"), model });
    expect((await call("POST", "/v1/models", { body: asFile })).status).toBe(201);
  });

  it("are refused with what is wrong", async () => {
    const { call } = openDoor();
    const bad = [
      form({ model }),
      form({ manifest: "{", model }),
      form({ manifest: `${"[".repeat(50)}${"]".repeat(50)}`, model }),
      form({ manifest: JSON.stringify({ ...manifest, more: "x".repeat(600_000) }), model }),
      form({ manifest: JSON.stringify({ ...manifest, sha256: "x" }), model }),
      form({ manifest: JSON.stringify(manifest), model: "text" }),
      form({ manifest: JSON.stringify(manifest), model, more: "x" }),
      form({ manifest: JSON.stringify(manifest), model: new File([], "empty.onnx") }),
    ];
    for (const body of bad) expect((await call("POST", "/v1/models", { body })).status).toBe(400);
    const headers = { "content-type": "multipart/form-data; boundary=x" };
    expect((await call("POST", "/v1/models", { body: "no parts", headers })).status).toBe(400);
    expect((await call("POST", "/v1/models", { body: {} })).status).toBe(415);
  });
});
