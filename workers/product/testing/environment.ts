/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { type ProductInput, productInput } from "../../../shared/contracts/product.ts";

/** The worker's bindings, with the migrations that vitest.config.ts adds. */
export const environment: ProductEnv & { MIGRATIONS: D1Migration[] } = Object.assign({ MIGRATIONS: [] }, env);

/** Applies the migrations to the test database. */
export const migrate = (): Promise<void> => applyD1Migrations(environment.DB, environment.MIGRATIONS);

/** Returns a valid product with the given fields. */
export const sampleProduct = (fields: Partial<ProductInput> & { id: string }): ProductInput =>
  productInput.parse({ title: "Thing", ...fields });
