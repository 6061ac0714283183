/** Whether the page runs on the developer's machine, where the gateway accepts the development key. */
const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

/** Returns the API key of this tab. Without one, returns the development key on a local page, otherwise "". */
export const key = () => sessionStorage.getItem("vicinity-key") ?? (isLocal ? "dev-admin-key" : "");

/** Fills an input with the key, and calls `onChange` after the user changed it. The key is stored for this tab only. */
export function bindKey(input, onChange) {
  input.value = key();
  input.addEventListener("change", () => {
    sessionStorage.setItem("vicinity-key", input.value.trim());
    onChange();
  });
}

/** Calls the API and returns the JSON of the response. Throws an error with the detail of a problem response. */
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

/** Returns a new element with attributes and children. Strings become text nodes, never markup. */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes))
    if (attribute === "onclick") node.addEventListener("click", value);
    else node.setAttribute(attribute, value);
  node.append(...children);
  return node;
}

/** Returns the element with an id. */
export const byId = (id) => document.getElementById(id);
