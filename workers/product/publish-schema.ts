import { eachApplication } from "../../shared/async/each-application.ts";
import type { SchemaStore } from "./schema-store.ts";

/** Products that one step of the job looks at. */
const productsPerStep = 500;
/** Steps of an application that one call runs; the cron goes on. */
const maxStepsPerCall = 5;
/** Applications whose jobs one call advances. */
const maxApplicationsPerCall = 10;

/**
 * Runs steps of the job that publishes the changed columns of an application, and returns whether it is done. Each step is
 * one transaction, so that the job may be killed anywhere. `pageSize` is for tests.
 */
export async function publishSchema(
  store: SchemaStore,
  application: string,
  maxSteps = maxStepsPerCall,
  pageSize = productsPerStep,
): Promise<boolean> {
  for (let i = 0; i < maxSteps; i++) {
    const schema = await store.read(application);
    if (schema === null || schema.done === 1) return true;
    const page = await store.nextProducts(schema, pageSize);
    await store.endStep(schema, {
      affected: page.filter(({ isAffected }) => isAffected).map(({ productId }) => productId),
      checked: page.length,
      position: page.at(-1)?.productId ?? schema.position,
      isLast: page.length < pageSize,
    });
  }
  return (await store.read(application))?.done !== 0;
}

/** Advances the jobs of all applications. The cron calls it. */
export async function publishSchemas(store: SchemaStore): Promise<void> {
  const applications = await store.unfinished(maxApplicationsPerCall);
  await eachApplication(applications, "catalog schema not published", async (application) => {
    await publishSchema(store, application);
  });
}
