import { env } from "cloudflare:workers";

/** Jurisdictions of Durable Objects that a deployment may have. */
const jurisdictions = ["eu", "us", "fedramp"] as const;

/**
 * Returns a namespace whose objects are stored in the jurisdiction of the deployment (variable `JURISDICTION`), or the
 * namespace itself if there is none. An id that is made from a name differs between jurisdictions, so every name must go
 * through this function. Ids that are parsed from text keep their jurisdiction. Throws for an unknown jurisdiction.
 */
export function inJurisdiction<T extends Rpc.DurableObjectBranded | undefined>(
  objects: DurableObjectNamespace<T>,
  name: string | undefined = (env as { JURISDICTION?: string }).JURISDICTION,
): DurableObjectNamespace<T> {
  if (name === undefined) return objects;
  const jurisdiction = jurisdictions.find((each) => each === name);
  if (jurisdiction === undefined)
    throw new Error(`JURISDICTION must be ${jurisdictions.join(", ")}; got "${name}".`);
  return objects.jurisdiction(jurisdiction as DurableObjectJurisdiction);
}
