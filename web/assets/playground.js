import { bindKey, byId, call, element, key } from "./api.js";
import { cities } from "./cities.js";
import { drawRadar } from "./radar.js";

const deeds = ["view", "click", "cart", "purchase", "dismiss"];
let ranks = new Map();
let socket = null;

const place = () => {
  const [, lat, lon] = cities[byId("city").selectedIndex];
  return { lat, lon };
};
const say = (text, wrong = false) => {
  byId("status").textContent = text;
  byId("status").className = wrong ? "wrong" : "quiet";
};

const money = ({ price, currency, discount }) => {
  if (price === null) return "";
  const amount = (price * (1 - discount)).toFixed(2);
  return `${amount} ${currency ?? ""}${discount > 0 ? ` (−${Math.round(discount * 100)}%)` : ""}`;
};

/** How an item moved since the list before. */
function movement(productId, rank) {
  if (ranks.size === 0) return "";
  const before = ranks.get(productId);
  if (before === undefined) return element("small", { class: "up" }, "new");
  if (before === rank) return "";
  return before > rank
    ? element("small", { class: "up" }, `▲ ${before - rank}`)
    : element("small", { class: "down" }, `▼ ${rank - before}`);
}

function row({ productId, rank, score, distanceKm, product }, recommendationId) {
  const buttons = deeds.map((type) =>
    element("button", { type: "button", onclick: () => act(type, productId, recommendationId) }, type),
  );
  return element(
    "li",
    {},
    element("div", { class: "rank" }, String(rank), movement(productId, rank)),
    element(
      "div",
      {},
      element("strong", {}, product.title),
      element("div", { class: "quiet" }, product.category),
    ),
    element(
      "div",
      { class: "figures" },
      element("div", {}, distanceKm === null ? "anywhere" : `${distanceKm.toFixed(2)} km`),
      element("div", {}, money(product)),
      element("div", { class: "quiet" }, `score ${score.toFixed(3)}`),
    ),
    element("div", { class: "actions" }, ...buttons),
  );
}

const precisions = { exact: "exact place", "1km": "to about 1 km", city: "the city only" };
const origins = {
  request: "as asked for",
  last: "where they were last",
  edge: "as the network sees them",
  home: "their home",
  none: "unknown",
};

function show(answer) {
  const { items, location, model, stages, recommendationId } = answer;
  byId("items").replaceChildren(...items.map((item) => row(item, recommendationId)));
  if (items.length === 0) say("Nothing to recommend here yet.");
  ranks = new Map(items.map(({ productId, rank }) => [productId, rank]));
  drawRadar(byId("radar"), place(), items);
  const named = [location.city, location.country].filter(Boolean).join(", ") || "no known city";
  byId("place").textContent = `${named}: ${precisions[location.precision]}, ${origins[location.source]}`;
  byId("model").textContent = `Model ${model.version}, ${model.sha256.slice(0, 12)}`;
  const slowest = Math.max(0.1, ...stages.map(({ ms }) => ms));
  byId("stages").replaceChildren(
    ...stages.map(({ name, ms, skipped }) =>
      element(
        "div",
        {},
        element("span", {}, name),
        element("meter", { max: slowest, value: ms }),
        element("span", {}, skipped ? "skipped" : `${ms.toFixed(1)} ms`),
      ),
    ),
  );
}

async function recommend() {
  try {
    const started = performance.now();
    show(
      await call("POST", "/v1/recommendations", {
        userId: byId("person").value.trim(),
        location: place(),
        limit: 12,
      }),
    );
    say(`Answered in ${(performance.now() - started).toFixed(0)} ms.`);
  } catch (error) {
    say(error.message, true);
  }
}

async function act(type, productId, recommendationId) {
  try {
    const userId = byId("person").value.trim();
    const event = {
      eventId: crypto.randomUUID(),
      userId,
      type,
      productId,
      recommendationId,
      location: place(),
    };
    const { accepted, rejected } = await call("POST", "/v1/events", { events: [event] });
    if (accepted === 0) say(rejected[0]?.error.message ?? "It was known already.", true);
    else await recommend();
  } catch (error) {
    say(error.message, true);
  }
}

/** Listens for what the service pushes to this person. */
function listen() {
  socket?.close();
  const userId = byId("person").value.trim();
  if (userId === "" || key() === "") return;
  const url = new URL(`/v1/users/${encodeURIComponent(userId)}/live`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  socket = new WebSocket(url, ["vicinity", key()]);
  socket.addEventListener("open", () => {
    byId("live").textContent = "● live";
  });
  socket.addEventListener("close", () => {
    byId("live").textContent = "";
  });
  socket.addEventListener("message", ({ data }) => {
    const pushed = JSON.parse(data);
    if (Array.isArray(pushed.items) && pushed.location) show(pushed);
  });
}

/** People to choose from, where the key may list them. */
async function suggest() {
  const { items } = await call("GET", "/v1/users?limit=50").catch(() => ({ items: [] }));
  byId("people").replaceChildren(...items.map(({ id }) => element("option", { value: id })));
  const input = byId("person");
  if (input.value === "") input.value = items[0]?.id ?? "someone-new";
}

async function begin() {
  ranks = new Map();
  listen();
  await recommend();
}

byId("city").replaceChildren(...cities.map(([name]) => element("option", {}, name)));
bindKey(byId("key"), begin);
byId("city").addEventListener("change", recommend);
byId("person").addEventListener("change", begin);
byId("question").addEventListener("submit", (event) => {
  event.preventDefault();
  void recommend();
});
await suggest();
await begin();
