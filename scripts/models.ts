// npm run models -- [VERSION VERSION...] [--url URL] [--key KEY]
// Without a URL it asks what `npm start` serves with the same PORT.
// Lists the versions of an application; with versions, compares them and says what they went through.
import { parseArgs } from "node:util";
import { modelDetails, modelRecord } from "../shared/contracts/model.ts";
import { driftRows, modelComparisonRows, modelHistoryLines, modelListRows } from "./models/model-rows.ts";
import { bundledManifest } from "./models/upload.ts";
import { parsePort } from "./start/options.ts";
import { developmentKey } from "./start/serve.ts";
import { tableLines } from "./terminal/table.ts";
import { exitWithError } from "./terminal/terminal.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: "string", default: `http://localhost:${parsePort(process.env)}` },
    key: { type: "string", default: developmentKey },
  },
});
const url = values.url.replace(/\/$/, "");

/** What is at a path; ends the process where that is not to be had. */
async function read(path: string): Promise<unknown> {
  const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${values.key}` } }).catch(
    (error: unknown) => exitWithError(`${url} does not answer (${error}); --url and --key say where to ask.`),
  );
  const body = (await answer.json()) as { detail?: string };
  if (!answer.ok) exitWithError(`${path} answered ${answer.status}: ${body.detail ?? ""}`);
  return body;
}

const details = async (version: string) => modelDetails.parse(await read(`/v1/models/${version}`));

if (positionals.length > 0) {
  const models = await Promise.all(positionals.map(details));
  for (const line of tableLines(modelComparisonRows(models))) console.log(line);
  for (const model of models) {
    console.log(`\n${modelHistoryLines(model).join("\n")}`);
    if (model.drift.length > 0)
      console.log(
        `\n${model.version}, by day, against its first:\n${tableLines(driftRows(model)).join("\n")}`,
      );
  }
} else {
  const { items } = (await read("/v1/models")) as { items: unknown[] };
  const records = items.map((item) => modelRecord.parse(item));
  if (records.length === 0) {
    console.log("No model of its own: what is deployed with the code serves.");
    console.log(`npm run models -- ${bundledManifest().version} tells of it.`);
  } else {
    const models = [];
    for (const { version } of records) models.push(await details(version));
    for (const line of tableLines(modelListRows(models))) console.log(line);
  }
}
