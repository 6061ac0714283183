import { pseudonymKeysOf } from "../../shared/pseudonyms/pseudonym-keys.ts";
import { openObjectId } from "../../shared/pseudonyms/sealed-object-id.ts";
import { stackSecrets } from "./test-stack.ts";

/** Returns the keys of the pseudonyms of a {@link TestStack}. */
export const stackPseudonymKeys = () => pseudonymKeysOf(stackSecrets.recommendation);

/** Returns the id of the user's object that a recommendation id of a {@link TestStack} leads to. */
export async function objectIdIn(recommendationId: string, application = "demo"): Promise<string> {
  const scope = { application, kind: "recommendation" } as const;
  const objectId = await openObjectId(await stackPseudonymKeys(), scope, recommendationId);
  if (objectId === null) throw new Error(`${recommendationId} is no recommendation id of ${application}.`);
  return objectId;
}
