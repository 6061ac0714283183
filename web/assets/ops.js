import { bindKey, byId, call, element, key } from "./api.js";

const refreshIntervalMs = 5_000;

/** Returns a table row with one cell for each value. */
const cells = (...values) => element("tr", {}, ...values.map((value) => element("td", {}, value)));
const count = (value) => value.toLocaleString("en");
/** Returns an instant as text, to the second. */
const timeText = (instant) => `${instant.slice(0, 10)} ${instant.slice(11, 19)} UTC`;
/** Returns the progress of an import as text. */
const progress = ({ done, total }) =>
  total === 0 ? count(done) : `${count(done)} / ${count(total)} (${Math.floor((100 * done) / total)}%)`;
const metricsText = (metrics) =>
  Object.entries(metrics)
    .map(([name, value]) => `${name} ${value.toFixed(4)}`)
    .join(", ");

/** Returns a button that promotes or rolls back a model version. */
const action = (version, name) =>
  element(
    "button",
    {
      type: "button",
      onclick: async () => {
        try {
          await call("POST", `/v1/models/${encodeURIComponent(version)}/${name}`);
          await refresh();
        } catch (error) {
          byId("status").textContent = error.message;
        }
      },
    },
    name,
  );

async function refresh() {
  const { status } = await call("GET", "/readyz");
  byId("status").textContent = status === "ready" ? "Ready." : "Not ready.";
  if (key() === "") return;
  const { workers } = await call("GET", "/v1/readiness");
  byId("workers").replaceChildren(
    ...Object.entries(workers).map(([name, worker]) =>
      cells(name, element("span", { class: worker.ready ? "yes" : "no" }, worker.detail)),
    ),
  );
  const { items: imports } = await call("GET", "/v1/imports");
  byId("imports").replaceChildren(
    ...imports.map((each) =>
      cells(
        each.name,
        each.reason === null ? each.status : `${each.status}: ${each.reason}`,
        progress(each),
        timeText(each.updatedAt),
      ),
    ),
  );
  const { items } = await call("GET", "/v1/models");
  byId("models").replaceChildren(
    ...items.map((model) =>
      cells(
        model.origin.by === "deployment" ? `${model.version} (deployed with the code)` : model.version,
        element("span", { class: model.status === "serving" ? "yes" : "" }, model.status),
        model.parent ?? "",
        metricsText(model.metrics),
        timeText(model.createdAt),
        action(model.version, model.status === "serving" ? "rollback" : "promote"),
      ),
    ),
  );
}

const refreshOrShowError = () =>
  refresh().catch((error) => {
    byId("status").textContent = error.message;
  });

bindKey(byId("key"), refreshOrShowError);
await refreshOrShowError();
setInterval(refreshOrShowError, refreshIntervalMs);
