import { bindKey, byId, call, element, key } from "./api.js";
import { cities } from "./cities.js";
import { drawRadar } from "./radar.js";

const eventTypes = ["view", "click", "cart", "purchase", "dismiss"];
/** Ranks of the previous list, by product id. */
let ranks = new Map();
let socket = null;

const selectedPoint = () => {
  const [, lat, lon] = cities[byId("city").selectedIndex];
  return { lat, lon };
};
const showStatus = (text, wrong = false) => {
  byId("status").textContent = text;
  byId("status").className = wrong ? "wrong" : "quiet";
};

/** Returns an amount with the digits of its currency, as text: `8.10 USD`, `1,200 JPY`. */
function amountText(amount, currency) {
  if (currency === null) return amount.toLocaleString("en", { maximumFractionDigits: 4 });
  const { minimumFractionDigits } = new Intl.NumberFormat("en", {
    style: "currency",
    currency,
  }).resolvedOptions();
  return `${amount.toLocaleString("en", { minimumFractionDigits })} ${currency}`;
}

/** Returns a product's price after its discount, as text. */
const priceText = ({ priceAfterDiscount, currency, discount }) => {
  if (priceAfterDiscount === null) return "";
  return `${amountText(priceAfterDiscount, currency)}${discount > 0 ? ` (−${Math.round(discount * 100)}%)` : ""}`;
};

/** Returns how many ranks a product moved since the previous list, as an element; empty for none. */
function movement(productId, rank) {
  if (ranks.size === 0) return "";
  const before = ranks.get(productId);
  if (before === undefined) return element("small", { class: "up" }, "new");
  if (before === rank) return "";
  return before > rank
    ? element("small", { class: "up" }, `▲ ${before - rank}`)
    : element("small", { class: "down" }, `▼ ${rank - before}`);
}

/** The policy of this page allows pictures of this server only. */
const pictureOf = ({ image }) =>
  image?.startsWith("/")
    ? [element("img", { src: image, alt: "", class: "picture", width: "44", height: "44", loading: "lazy" })]
    : [];

function row({ productId, rank, score, distanceKm, product }, recommendationId) {
  const buttons = eventTypes.map((type) =>
    element(
      "button",
      { type: "button", onclick: () => recordEvent(type, productId, recommendationId) },
      type,
    ),
  );
  return element(
    "li",
    {},
    element("div", { class: "rank" }, String(rank), movement(productId, rank)),
    element(
      "div",
      {},
      ...pictureOf(product),
      element("strong", {}, product.title),
      element("div", { class: "quiet" }, [product.category, product.brand].filter(Boolean).join(", ")),
      ...(product.isOpen ? [] : [element("div", { class: "quiet" }, "closed now")]),
    ),
    element(
      "div",
      { class: "figures" },
      element("div", {}, distanceKm === null ? "no location" : `${distanceKm} km`),
      element("div", {}, priceText(product)),
      element("div", { class: "quiet" }, `score ${score.toFixed(3)}`),
    ),
    element("div", { class: "actions" }, ...buttons),
  );
}

const precisionTexts = {
  exact: "exact location",
  approximate: "to about 1 km",
  city: "city only",
  none: "stored nowhere",
};
const sourceTexts = {
  request: "from the request",
  last: "the user's last location",
  edge: "derived from the network",
  home: "the user's home",
  none: "unknown",
};

function show(answer) {
  const { items, location, model, stages, recommendationId } = answer;
  byId("items").replaceChildren(...items.map((item) => row(item, recommendationId)));
  if (items.length === 0) showStatus("There are no products to recommend here.");
  ranks = new Map(items.map(({ productId, rank }) => [productId, rank]));
  drawRadar(byId("radar"), selectedPoint(), items);
  const named = [location.city, location.country].filter(Boolean).join(", ") || "no known city";
  byId("resolved-location").textContent =
    `${named}: ${precisionTexts[location.precision]}, ${sourceTexts[location.source]}`;
  byId("model").textContent = `Model ${model.version}, ${model.sha256.slice(0, 12)}`;
  const slowest = Math.max(0.1, ...stages.map(({ ms }) => ms));
  byId("stages").replaceChildren(
    ...stages.map(({ name, ms, kind, candidates, skipped }) =>
      element(
        "div",
        {},
        element("span", {}, name),
        element("meter", { max: slowest, value: ms }),
        element("span", {}, stageText(ms, kind, candidates, skipped)),
      ),
    ),
  );
}

/** Returns what a stage took. On Cloudflare, the clock stands still while a Worker computes: a count stands for the time. */
function stageText(ms, kind, candidates, skipped) {
  if (skipped) return "skipped";
  return kind === "computing" && ms === 0 ? `${candidates} candidates` : `${ms.toFixed(1)} ms`;
}

async function recommend() {
  try {
    const started = performance.now();
    show(
      await call("POST", "/v1/recommendations", {
        userId: byId("user").value.trim(),
        location: selectedPoint(),
        limit: 12,
      }),
    );
    showStatus(`Answered in ${(performance.now() - started).toFixed(0)} ms.`);
  } catch (error) {
    showStatus(error.message, true);
  }
}

/** Records what the user did with a product, then requests new recommendations. */
async function recordEvent(type, productId, recommendationId) {
  try {
    const userId = byId("user").value.trim();
    const event = {
      eventId: crypto.randomUUID(),
      userId,
      type,
      productId,
      recommendationId,
      location: selectedPoint(),
    };
    const { accepted, rejected } = await call("POST", "/v1/events", { events: [event] });
    if (accepted === 0) showStatus(rejected[0]?.error.message ?? "The event was recorded before.", true);
    else await recommend();
  } catch (error) {
    showStatus(error.message, true);
  }
}

/** Opens the user's WebSocket, and shows each list that the service sends. */
function connectLive() {
  socket?.close();
  const userId = byId("user").value.trim();
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

/** Suggests up to 50 users in the user field; none if the key may not list users. */
async function suggestUsers() {
  const { items } = await call("GET", "/v1/users?limit=50").catch(() => ({ items: [] }));
  byId("users").replaceChildren(...items.map(({ id }) => element("option", { value: id })));
  const input = byId("user");
  if (input.value === "") input.value = items[0]?.id ?? "someone-new";
}

/** Requests recommendations and reconnects, for another user or key. */
async function restart() {
  ranks = new Map();
  connectLive();
  await recommend();
}

byId("city").replaceChildren(...cities.map(([name]) => element("option", {}, name)));
bindKey(byId("key"), restart);
byId("city").addEventListener("change", recommend);
byId("user").addEventListener("change", restart);
byId("request").addEventListener("submit", (event) => {
  event.preventDefault();
  void recommend();
});
await suggestUsers();
await restart();
