import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configArguments, servedConfigs } from "../workers.ts";
import { localVariables } from "./local-variables.ts";

/**
 * Writes the file of the gateway's secrets and of the marker of its state, which only this user may read, and returns its
 * path. wrangler gives the file's variables to the gateway alone, the first configuration.
 */
function writeGatewayEnvironment(stateDir: string, proxySecret: string): string {
  const file = join(stateDir, "gateway.env");
  const variables = { ...localVariables(stateDir).gateway, LOCAL_PROXY_SECRET: proxySecret };
  const text = Object.entries(variables).map(([name, value]) => `${name}="${value}"\n`);
  rmSync(file, { force: true });
  writeFileSync(file, text.join(""), { mode: 0o600 });
  return file;
}

/**
 * Returns the environment of `wrangler dev` with the secrets that the other configurations require. A process list does
 * not show an environment to other users.
 */
export const devEnvironment = (stateDir: string): Record<string, string> =>
  localVariables(stateDir).recommendation;

/**
 * Returns the arguments of `wrangler dev` for all workers in one process. `proxySecret` is the secret of the local proxy
 * in front of them. No secret is among the arguments, since every user of the machine can read them.
 */
export const devArguments = (port: number, stateDir: string, proxySecret: string): string[] => [
  "dev",
  ...configArguments(servedConfigs),
  "--ip",
  "127.0.0.1",
  "--port",
  String(port),
  "--inspector-port",
  "0",
  "--persist-to",
  stateDir,
  "--env-file",
  writeGatewayEnvironment(stateDir, proxySecret),
];
