/// <reference types="@cloudflare/vitest-plugin/types" />
import { createExecutionContext } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { userSessionStub } from "../../../durable-objects/user-session/user-session-stub.ts";
import { trustedRequester } from "../../../shared/contracts/requester.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { pseudonymKeysOf } from "../../../shared/pseudonyms/pseudonym-keys.ts";
import { type SealedIdScope, sealObjectId } from "../../../shared/pseudonyms/sealed-object-id.ts";
import { RecommendationService } from "../service.ts";
import { recommendForAnn, services, sessionEnvironment } from "../testing/services.ts";

/** A recommendation service that counts the objects that it asks. */
function countingService(change: object = {}) {
  const sessions = sessionEnvironment.USER_SESSION;
  const get = vi.fn((id: DurableObjectId) => sessions.get(id));
  const environment = {
    ...services,
    USER_SESSION: { get, idFromString: (id: string) => sessions.idFromString(id) },
    ...change,
  };
  const service = new RecommendationService(createExecutionContext(), environment as never);
  return { service, get };
}

describe("S12: an id of the API", () => {
  it("leads to the receipt in its own application, and in no other", async () => {
    const { service, get } = countingService();
    const { recommendationId } = unwrap(await recommendForAnn({}), "the recommendation service");
    const found = unwrap(
      await service.receipt("demo", recommendationId, trustedRequester),
      "the recommendation service",
    );
    expect(found.recommendationId).toBe(recommendationId);
    expect(get).toHaveBeenCalledTimes(1);
    expect(await service.receipt("other", recommendationId, trustedRequester)).toMatchObject({
      error: { code: "not_found" },
    });
    expect(await service.getErasure("demo", recommendationId)).toMatchObject({
      error: { code: "not_found" },
    });
    expect(get).toHaveBeenCalledTimes(1);
  });

  it("wakes no object if it is altered, invented, or sealed with another secret", async () => {
    const { service, get } = countingService();
    const { recommendationId } = unwrap(await recommendForAnn({}), "the recommendation service");
    const objectId = userSessionStub(sessionEnvironment.USER_SESSION, "demo", "ann", null).id.toString();
    const scope: SealedIdScope = { application: "demo", kind: "recommendation" };
    const foreignKeys = await pseudonymKeysOf({ PSEUDONYM_SECRET: "another-secret".repeat(3) });
    const wrong = [
      `${recommendationId.slice(0, -1)}${recommendationId.endsWith("A") ? "B" : "A"}`,
      `${recommendationId[0] === "A" ? "B" : "A"}${recommendationId.slice(1)}`,
      await sealObjectId(foreignKeys, scope, objectId),
      objectId,
      "r1",
      "A".repeat(80),
    ];
    for (const id of wrong)
      expect(await service.receipt("demo", id, trustedRequester)).toMatchObject({
        ok: false,
        error: { code: "not_found" },
      });
    expect(get).not.toHaveBeenCalled();
  });

  it("needs a secret, whose absence the worker reports when it is asked whether it is ready", async () => {
    const { service } = countingService({ PSEUDONYM_SECRET: undefined });
    expect(await service.ready()).toMatchObject({
      ready: false,
      detail: expect.stringContaining("PSEUDONYM_SECRET"),
    });
  });
});
