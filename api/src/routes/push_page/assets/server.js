// The server's side: each call gives what was answered, or ends in a Trouble.
import { Trouble } from "./states.js";

const PATIENCE_MS = 15_000;

// The key that messages are signed with, as its bytes.
export async function vapidKey() {
  const { publicKey } = await call("vapid-key");
  return bytes(publicKey);
}

// Whether the server did it: it knows a subscription by its address and both keys.
export async function tell(what, subscription) {
  const { success } = await call(what, subscription.toJSON());
  return success === true;
}

async function call(what, body) {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const request = { signal, cache: "no-store" };
  if (body) Object.assign(request, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const response = await fetch(`/api/push/${what}`, request).catch(() => { throw new Trouble("away"); });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw trouble(response.status, answer.detail);
}

function trouble(status, detail) {
  if (status === 501) return new Trouble("unset");
  if (status === 429) return new Trouble("slow");
  if (status >= 500) return new Trouble("away");
  return new Trouble("refused", Array.isArray(detail) ? detail.map((fault) => fault.msg).join("\n") : detail);
}

function bytes(base64url) {
  const base64 = base64url.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}
