import { beforeAll, describe, expect, it } from "vitest";
import { unwrap } from "../../../shared/contracts/result.ts";
import { RecommendationService } from "../service.ts";
import {
  environmentWithRollout,
  migrateRegistry,
  randomModel,
  registerRandomModel,
} from "../testing/models.ts";
import { recommendForAnn } from "../testing/services.ts";
import { bundledModelManifest } from "./bundled-model.ts";
import { ModelRegistry } from "./model-registry.ts";

const environment = environmentWithRollout({ automatic: false });
const bundled = bundledModelManifest.version;
const now = Date.now() / 1000;
const registry = (application: string) => new ModelRegistry(environment, application);
/** Returns the statuses by version as `GET /v1/models` lists them. */
const listed = async (application: string): Promise<string[]> =>
  (await registry(application).listWithBundled()).map(({ version, status }) => `${version} ${status}`);
/** Returns the version that serves a recommendation. */
const serving = async (application: string): Promise<string> =>
  unwrap(await recommendForAnn(environment, {}, application), "recommend").model.version;

beforeAll(migrateRegistry);

describe("the model that is deployed with the code", () => {
  it("is listed with its file and metrics, and serves an application without models", async () => {
    const [record, ...others] = await registry("new").listWithBundled();
    const { sha256, metrics, dataWindow, createdAt } = bundledModelManifest;
    expect(others).toEqual([]);
    expect(record).toMatchObject({ version: bundled, sha256, metrics, dataWindow, createdAt });
    expect(record).toMatchObject({ status: "serving", origin: { by: "deployment" } });
    expect(await serving("new")).toBe(bundled);
    expect(await registry("new").details(bundled)).toMatchObject({
      ok: true,
      value: { ...record, manifest: bundledModelManifest },
    });
  });

  it("is listed by the service", async () => {
    const context = { waitUntil: () => undefined, passThroughOnException: () => undefined } as never;
    const service = new RecommendationService(context, environment);
    expect(unwrap(await service.listModels("new"), "the service").map(({ version }) => version)).toEqual([
      bundled,
    ]);
  });

  it("is listed behind the models of an application, of which one serves", async () => {
    await registerRandomModel(environment, "shop", "v1", 1, now - 2);
    await registerRandomModel(environment, "shop", "v2", 2, now - 1);
    expect(await listed("shop")).toEqual(["v2 refused", "v1 serving", `${bundled} retired`]);
    expect(await listed("other-shop")).toEqual([`${bundled} serving`]);
  });

  it("serves after the last other version was rolled back, and is not rolled back itself", async () => {
    await registerRandomModel(environment, "last", "v1", 1, now);
    expect(await registry("last").rollback(bundled, now)).toMatchObject({
      ok: false,
      error: { code: "conflict", detail: expect.stringContaining("v1 serves") },
    });
    await registry("last").rollback("v1", now);
    expect(await listed("last")).toEqual(["v1 rolled_back", `${bundled} serving`]);
    expect(await registry("last").rollback(bundled, now)).toMatchObject({
      ok: false,
      error: { code: "conflict", detail: expect.stringContaining("promote another version") },
    });
    expect(await serving("last")).toBe(bundled);
  });

  it("is promoted and rolled back to the version that served before", async () => {
    const application = "back";
    await registerRandomModel(environment, application, "v1", 1, now);
    expect(await registry(application).promote(bundled, now)).toMatchObject({
      ok: true,
      value: { version: bundled, status: "serving" },
    });
    expect(await listed(application)).toEqual(["v1 retired", `${bundled} serving`]);
    expect(await serving(application)).toBe(bundled);
    // Promoting it again changes nothing.
    expect((await registry(application).promote(bundled, now)).ok).toBe(true);
    expect(await registry(application).rollback(bundled, now)).toMatchObject({
      ok: true,
      value: { version: "v1", status: "serving" },
    });
    expect(await serving(application)).toBe("v1");
    expect(await listed(application)).toEqual(["v1 serving", `${bundled} retired`]);
    expect((await registry(application).promote("unknown", now)).ok).toBe(false);
  });

  it("keeps its version: another file is not registered under it", async () => {
    const { manifest, bytes } = await randomModel(bundled, 3);
    expect(await registry("taken").register(manifest, bytes, now)).toMatchObject({
      ok: false,
      error: { code: "conflict" },
    });
  });
});
