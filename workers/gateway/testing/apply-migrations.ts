/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations } from "cloudflare:test";
import { testEnvironment } from "./test-environment.ts";

await applyD1Migrations(testEnvironment.DB, testEnvironment.MIGRATIONS);
