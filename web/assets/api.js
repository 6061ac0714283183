/** The key for the calls of a page: kept for the tab only, the development key where there is a chance of one. */
const local = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

export const key = () => sessionStorage.getItem("vicinity-key") ?? (local ? "dev-admin-key" : "");

/** Binds the key to its input. */
export function bindKey(input, changed) {
  input.value = key();
  input.addEventListener("change", () => {
    sessionStorage.setItem("vicinity-key", input.value.trim());
    changed();
  });
}

/** Calls the API; throws an error with the problem's own words where it refuses. */
export async function call(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: {
      ...(key() === "" ? {} : { authorization: `Bearer ${key()}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  const value = text === "" ? null : JSON.parse(text);
  if (!answer.ok && value?.code) {
    const [first] = value.errors ?? [];
    throw new Error(first ? `${value.detail} ${first.path}: ${first.message}` : value.detail);
  }
  return value;
}

/** An element with attributes and children; texts become text, never markup. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes))
    if (attribute === "onclick") made.addEventListener("click", value);
    else made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

export const byId = (id) => document.getElementById(id);
