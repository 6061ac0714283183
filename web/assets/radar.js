const svgElement = (name, attributes) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [attribute, value] of Object.entries(attributes)) node.setAttribute(attribute, String(value));
  return node;
};

const radians = (degrees) => (degrees * Math.PI) / 180;

/** Returns the initial bearing from one point to another, in radians clockwise from north. */
function bearing(from, to) {
  const [a, b, d] = [radians(from.lat), radians(to.lat), radians(to.lon - from.lon)];
  return Math.atan2(
    Math.sin(d) * Math.cos(b),
    Math.cos(a) * Math.sin(b) - Math.sin(a) * Math.cos(b) * Math.cos(d),
  );
}

/** Largest radius of a product, in the units of the view box, whose half width is 100. */
const radarRadius = 90;

/**
 * Draws items around a point by direction and distance. The outer ring is the distance of the farthest item, at least
 * 0.5 km; the inner ring is half of it.
 */
export function drawRadar(target, center, items) {
  const placed = items.filter(({ distanceKm, product }) => distanceKm !== null && product.location);
  const farthest = Math.max(0.5, ...placed.map(({ distanceKm }) => distanceKm));
  target.replaceChildren();
  for (const share of [0.5, 1]) {
    const label = svgElement("text", { x: 2, y: -radarRadius * share - 2 });
    label.textContent = `${(farthest * share).toFixed(1)} km`;
    target.append(svgElement("circle", { r: radarRadius * share, class: "ring" }), label);
  }
  for (const { productId, distanceKm, product, rank } of placed) {
    const angle = bearing(center, product.location);
    const radius = (radarRadius * distanceKm) / farthest;
    const dot = svgElement("circle", {
      cx: Math.sin(angle) * radius,
      cy: -Math.cos(angle) * radius,
      r: Math.max(2, 6 - rank / 4),
      class: "product",
    });
    const title = svgElement("title", {});
    title.textContent = `${rank}. ${product.title || productId}`;
    dot.append(title);
    target.append(dot);
  }
  target.append(svgElement("circle", { r: 4, class: "user" }));
}
