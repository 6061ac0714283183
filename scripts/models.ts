// `npm run models`: lists the model versions of an application, and the model that is deployed with the code.
// `npm run models -- VERSION VERSION ...`: compares versions, and prints the history and drift of each.
// `--url` names the Vicinity to ask, and `--key-file` its admin key; the default is the one that `npm start` runs with the
// same PORT.
import { parseArgs } from "node:util";
import { exitWithError, parseOrExit } from "../model/cli/options.ts";
import { type ModelDetails, modelDetails, modelRecord } from "../shared/contracts/model.ts";
import { driftRows, modelComparisonRows, modelHistoryLines, modelListRows } from "./models/model-rows.ts";
import { keyArguments, keyUsage, readKeyOrExit } from "./secrets/read-key.ts";
import { developmentKey } from "./start/development-key.ts";
import { parsePort } from "./start/options.ts";
import { tableLines } from "./terminal/table.ts";

const { values, positionals } = parseOrExit(
  () =>
    parseArgs({
      allowPositionals: true,
      options: {
        url: { type: "string" },
        ...keyArguments,
      },
    }),
  `Usage: npm run models -- [VERSION ...] [--url URL] ${keyUsage}`,
);
const url = (values.url ?? `http://localhost:${parsePort(process.env)}`).replace(/\/$/, "");
const key = await readKeyOrExit(values, values.url === undefined ? developmentKey : null);

/** Returns the JSON at a path of the API. Ends the process if the request fails. */
async function getJson(path: string): Promise<unknown> {
  const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } }).catch(
    (error: unknown) =>
      exitWithError(
        `${url} does not answer (${error}). Run npm start first, or name the address with --url, for example --url http://localhost:8788.`,
      ),
  );
  const body = (await response.json()) as { detail?: string };
  if (!response.ok) exitWithError(`GET ${path} answered ${response.status}: ${body.detail ?? ""}`);
  return body;
}

const getDetails = async (version: string) => modelDetails.parse(await getJson(`/v1/models/${version}`));

if (positionals.length > 0) {
  const models = await Promise.all(positionals.map(getDetails));
  for (const line of tableLines(modelComparisonRows(models))) console.log(line);
  for (const model of models) {
    console.log(`\n${modelHistoryLines(model).join("\n")}`);
    if (model.drift.length > 0)
      console.log(
        `\nDrift of ${model.version}, each day against the first day:\n${tableLines(driftRows(model)).join("\n")}`,
      );
  }
} else {
  const { items } = (await getJson("/v1/models")) as { items: unknown[] };
  const models: ModelDetails[] = [];
  for (const item of items) models.push(await getDetails(modelRecord.parse(item).version));
  for (const line of tableLines(modelListRows(models))) console.log(line);
}
