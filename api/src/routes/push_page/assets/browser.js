// The browser's side: what it can do, its subscription, and why it has none.
import { Trouble } from "./states.js";

const SCOPE = "/push/";

// Throws where no push message could ever come.
export function check() {
  if (!window.isSecureContext) throw new Trouble("insecure");
  const can = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
  if (!can) throw new Trouble("unsupported");
}

export async function register() {
  const registration = await navigator.serviceWorker.register(`${SCOPE}sw.js`, { scope: SCOPE });
  await navigator.serviceWorker.ready;
  return registration;
}

export async function askPermission() {
  const permission = await Notification.requestPermission();
  if (permission === "denied") throw new Trouble("denied");
  if (permission !== "granted") throw new Trouble("ready", "You have not yet allowed notifications from this page.");
}

// A subscription for this key; one for another key has to go first.
export async function subscribe(registration, key) {
  const old = await registration.pushManager.getSubscription();
  if (old && hasKey(old, key)) return old;
  await old?.unsubscribe();
  return registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }).catch((error) => {
    if (error.name === "NotAllowedError" && Notification.permission === "denied") throw new Trouble("denied");
    // Chromium: AbortError, "push service not available" or "… error"; others say that they do not support it.
    if (["AbortError", "NotAllowedError", "NotSupportedError"].includes(error.name)) throw new Trouble("noservice");
    throw new Trouble("failed", `${error.name}: ${error.message}`);
  });
}

// Some browsers do not say which key a subscription has: then it is taken for this one.
export function hasKey(subscription, key) {
  const own = subscription.options?.applicationServerKey;
  if (!own) return true;
  const bytes = new Uint8Array(own);
  return bytes.length === key.length && bytes.every((byte, place) => byte === key[place]);
}
