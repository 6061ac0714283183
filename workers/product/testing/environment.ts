/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { type ProductInput, productInput } from "../../../shared/contracts/product.ts";
import type { Result } from "../../../shared/contracts/result.ts";

/** The worker's bindings, with the migrations that vitest.config.ts adds. */
export const environment: ProductEnv & { MIGRATIONS: D1Migration[] } = Object.assign({ MIGRATIONS: [] }, env);

export const migrate = (): Promise<void> => applyD1Migrations(environment.DB, environment.MIGRATIONS);

/** A product with some fields of its own. */
export const makeProduct = (fields: Partial<ProductInput> & { id: string }): ProductInput =>
  productInput.parse({ title: "Thing", ...fields });

/** The code of a refusal; null for a value. */
export const refusalCodeOf = (result: Result<unknown>): string | null =>
  result.ok ? null : result.error.code;
