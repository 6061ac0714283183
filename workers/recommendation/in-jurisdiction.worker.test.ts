import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { inJurisdiction } from "../../durable-objects/in-jurisdiction.ts";

const objects = (env as RecommendationEnv).USER_SESSION;

describe("inJurisdiction", () => {
  it("restricts a namespace to the deployment's jurisdiction, and to none by default", () => {
    expect(inJurisdiction(objects)).toBe(objects);
    const asked: string[] = [];
    const namespace = {
      jurisdiction: (name: string) => {
        asked.push(name);
        return objects;
      },
    } as unknown as typeof objects;
    inJurisdiction(namespace, "eu");
    expect(asked).toEqual(["eu"]);
    expect(() => inJurisdiction(namespace, "de")).toThrow('JURISDICTION must be eu, us, fedramp; got "de"');
  });
});
