import type { TestStack } from "./test-stack.ts";

/** An open live connection of a user. */
export interface LiveSocket {
  /** The messages so far, oldest first; it grows as messages arrive. */
  messages: string[];
  close(): void;
}

/** Opens the live connection of a user with a credential; the default is the development server key. */
export async function openLiveSocket(
  stack: TestStack,
  userId: string,
  credential = "dev-server-key",
): Promise<LiveSocket> {
  const messages: string[] = [];
  const url = `${stack.url.replace("http", "ws")}v1/users/${encodeURIComponent(userId)}/live`;
  const socket = new WebSocket(url, ["vicinity", credential]);
  socket.addEventListener("message", ({ data }) => messages.push(String(data)));
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(new Error(`the WebSocket of ${userId} did not open`)));
  });
  return { messages, close: () => socket.close() };
}
