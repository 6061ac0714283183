import { describe, expect, it } from "vitest";
import { strongestCredential } from "../testing/credentials.ts";
import { fetchOperations } from "../testing/operations.ts";
import { sampleRequestOf } from "../testing/sample-requests.ts";
import { createTestGateway, unlimitedRate } from "../testing/test-gateway.ts";

const gateway = createTestGateway({ limiter: unlimitedRate });
const jsonOperations = (await fetchOperations(gateway)).filter(({ body }) => body === "application/json");

describe("requireJson", () => {
  it.each(jsonOperations.map((operation) => [operation.name, operation] as const))(
    "refuses %s without a body and with another content type",
    async (_, operation) => {
      const { method, path, options } = sampleRequestOf(operation);
      const key = await strongestCredential(operation);
      const absent = await gateway.call(method, path, { key });
      expect(absent.status).toBe(400);
      expect(await absent.json()).toMatchObject({ code: "invalid_input" });
      for (const type of ["text/plain", "application/jsonp", ""]) {
        const other = await gateway.call(method, path, {
          key,
          body: options.body,
          headers: { "content-type": type },
        });
        expect(other.status).toBe(415);
        expect(await other.json()).toMatchObject({ code: "unsupported_media_type" });
      }
      const empty = await gateway.call(method, path, {
        key,
        headers: { "content-type": "application/json" },
      });
      expect(empty.status).toBe(400);
    },
  );
});
