const svg = (name, attributes) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, String(value));
  return made;
};

const radians = (degrees) => (degrees * Math.PI) / 180;

/** Initial bearing from one point to another, radians clockwise from north. */
function bearing(from, to) {
  const [a, b, d] = [radians(from.lat), radians(to.lat), radians(to.lon - from.lon)];
  return Math.atan2(
    Math.sin(d) * Math.cos(b),
    Math.cos(a) * Math.sin(b) - Math.sin(a) * Math.cos(b) * Math.cos(d),
  );
}

/** Draws items around the person by direction and distance; rings are at halves of the farthest. */
export function drawRadar(target, person, items) {
  const placed = items.filter(({ distanceKm, product }) => distanceKm !== null && product.location);
  const farthest = Math.max(0.5, ...placed.map(({ distanceKm }) => distanceKm));
  target.replaceChildren();
  for (const share of [0.5, 1]) {
    const label = svg("text", { x: 2, y: -90 * share - 2 });
    label.textContent = `${(farthest * share).toFixed(1)} km`;
    target.append(svg("circle", { r: 90 * share, class: "ring" }), label);
  }
  for (const { productId, distanceKm, product, rank } of placed) {
    const angle = bearing(person, product.location);
    const far = (90 * distanceKm) / farthest;
    const dot = svg("circle", {
      cx: Math.sin(angle) * far,
      cy: -Math.cos(angle) * far,
      r: Math.max(2, 6 - rank / 4),
      class: "product",
    });
    const title = svg("title", {});
    title.textContent = `${rank}. ${product.title || productId}`;
    dot.append(title);
    target.append(dot);
  }
  target.append(svg("circle", { r: 4, class: "person" }));
}
