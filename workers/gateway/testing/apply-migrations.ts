/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations } from "cloudflare:test";
import { testEnvironment } from "./test-environment.ts";
import { developmentMarker } from "./test-gateway.ts";

// A setup file of vitest: runs before each test file.
await applyD1Migrations(testEnvironment.DB, testEnvironment.MIGRATIONS);
await testEnvironment.DB.prepare("INSERT OR IGNORE INTO development_markers VALUES (?)")
  .bind(developmentMarker)
  .run();
