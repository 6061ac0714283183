import { byId, element } from "./api.js";

const openApi = await (await fetch("/openapi.json")).json();

/** Returns a JSON schema as readable text. A reference to another schema becomes that schema's name. */
function outline(schema, depth = 0) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return alternatives.map((each) => outline(each, depth)).join(" | ");
  if (schema.type === "array") return `${outline(schema.items, depth)}[]`;
  if (schema.properties) {
    const indent = "  ".repeat(depth + 1);
    const required = new Set(schema.required ?? []);
    const lines = Object.entries(schema.properties).map(
      ([name, each]) => `${indent}${name}${required.has(name) ? "" : "?"}: ${outline(each, depth + 1)}`,
    );
    return `{\n${lines.join("\n")}\n${"  ".repeat(depth)}}`;
  }
  const type = [schema.type ?? "anything"].flat().join(" | ");
  const bounds = ["minimum", "maximum", "minLength", "maxLength", "pattern", "format", "default"]
    .filter((name) => schema[name] !== undefined)
    .map((name) => `${name} ${schema[name]}`);
  return bounds.length === 0 ? type : `${type} (${bounds.join(", ")})`;
}

/** Returns one element for each media type of a body or response, with its schema. */
const contents = (part) =>
  Object.entries(part?.content ?? {}).map(([type, { schema }]) =>
    element("div", {}, element("span", { class: "quiet" }, type), element("pre", {}, outline(schema))),
  );

/** Returns the collapsible section of an operation. */
function operation(path, method, { summary, description, security, parameters, requestBody, responses }) {
  const access = security?.[0]?.credential?.[0] ?? "public";
  const rows = (parameters ?? []).map(({ name, in: where, required, schema, explode }) =>
    element(
      "tr",
      {},
      // The properties of an exploded object are query parameters of their own.
      element("td", {}, element("code", {}, explode ? Object.keys(schema.properties).join(", ") : name)),
      element("td", {}, `${where}${required ? "" : ", optional"}`),
      element("td", {}, outline(schema)),
    ),
  );
  return element(
    "details",
    {},
    element(
      "summary",
      {},
      element("span", { class: "method" }, method.toUpperCase()),
      element("code", {}, path),
      ` ${summary ?? ""} `,
      element("span", { class: "quiet" }, access),
    ),
    element("p", { class: "quiet" }, description ?? ""),
    ...(rows.length === 0 ? [] : [element("table", {}, element("tbody", {}, ...rows))]),
    ...(requestBody ? [element("h2", {}, "Body"), ...contents(requestBody)] : []),
    element("h2", {}, "Responses"),
    ...Object.entries(responses).flatMap(([status, response]) => [
      element("p", {}, element("b", {}, status), ` ${response.description}`),
      ...contents(response),
    ]),
  );
}

byId("about").textContent = openApi.info.description;
const groups = Map.groupBy(
  Object.entries(openApi.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, spec]) => ({ path, method, spec })),
  ),
  ({ spec }) => spec.tags?.[0] ?? "Other",
);
byId("operations").replaceChildren(
  ...[...groups].flatMap(([tag, operations]) => [
    element("h2", {}, tag),
    ...operations.map(({ path, method, spec }) => operation(path, method, spec)),
  ]),
);
byId("schemas").replaceChildren(
  ...Object.entries(openApi.components.schemas).map(([name, schema]) =>
    element(
      "details",
      {},
      element("summary", {}, element("code", {}, name)),
      element("pre", {}, outline(schema)),
    ),
  ),
);
