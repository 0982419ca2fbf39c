// The part that stays when the page is closed: shows what the push service brings, and leads on when it is clicked.
const PAGE = "/push/";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("push", (event) => event.waitUntil(show(read(event.data))));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(lead(event.notification.data?.url));
});
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(event)));

// A browser shows something for every message, so one that cannot be read is shown, too.
function read(data) {
  try {
    const { title, body, url, event_id } = data.json();
    return { title: String(title || "Notification"), body: String(body ?? ""), url, event_id };
  } catch {
    return { title: "Notification", body: data?.text() ?? "" };
  }
}

// One that comes again has the same tag: it takes the place of the first instead of standing beside it.
async function show({ title, body, url, event_id }) {
  await self.registration.showNotification(title, { body, tag: event_id, data: { url } });
  for (const page of await pages()) page.postMessage({ title, body });
}

// Where this page is open, among all that is open of this server.
async function pages() {
  const all = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  return all.filter((one) => new URL(one.url).pathname === PAGE);
}

// To the message's link; without one to this page, which is brought forward if it is open.
async function lead(url) {
  if (isLink(url)) return self.clients.openWindow(url);
  const [open] = await pages();
  return open ? open.focus() : self.clients.openWindow(PAGE);
}

function isLink(url) {
  return typeof url === "string" && URL.canParse(url) && ["http:", "https:"].includes(new URL(url).protocol);
}

// The browser replaced its subscription: send the new one to the server.
async function renew({ oldSubscription, newSubscription }) {
  const { applicationServerKey } = oldSubscription?.options ?? {};
  if (!newSubscription && !applicationServerKey) return;
  const options = { userVisibleOnly: true, applicationServerKey };
  const subscription = newSubscription ?? (await self.registration.pushManager.subscribe(options));
  const headers = { "content-type": "application/json" };
  await fetch("/api/push/subscribe", { method: "POST", headers, body: JSON.stringify(subscription) });
}
