// The page: looks how things stand, shows it, and does what its buttons say.
import { askPermission, check, hasKey, register, subscribe } from "./browser.js";
import { tell, vapidKey } from "./server.js";
import { STATES, Trouble } from "./states.js";

const MAX_ARRIVALS = 10;
const at = (id) => document.getElementById(id);
const buttons = ["subscribe", "test", "retry", "unsubscribe"].map(at);

let registration;
let subscription = null;

function show(name, more = "") {
  const { tone, title, text, buttons: offered = [] } = STATES[name];
  const hadFocus = [...buttons, at("state")].includes(document.activeElement);
  Object.assign(at("state").dataset, { state: name, tone });
  at("state-title").textContent = title;
  at("state-text").replaceChildren(...(more ? [more] : worded(text)));
  at("subscribe").textContent = ["changed", "forgotten", "noservice"].includes(name) ? "Subscribe again" : "Subscribe";
  for (const button of buttons) button.hidden = !offered.includes(button.id);
  at("unsubscribe").hidden = !subscription || ["looking", "working"].includes(name);
  // Keyboard focus stays near where it was, also when the pressed button is hidden now.
  if (hadFocus && !(document.activeElement.matches("button") && !document.activeElement.hidden)) {
    (buttons.find((button) => !button.hidden) ?? at("state")).focus();
  }
}

// Every other part between two ` is code.
function worded(text) {
  return text.split("`").map((part, place) => {
    if (place % 2 === 0) return part;
    const code = document.createElement("code");
    code.textContent = part;
    return code;
  });
}

const note = (text) => { at("note").textContent = text; };

// Does something, and shows how it went. One thing at a time.
let busy = false;
async function attempt(action) {
  if (busy) return;
  busy = true;
  note("");
  try {
    await action();
  } catch (error) {
    if (!(error instanceof Trouble)) console.warn(error);
    if (error instanceof Trouble) show(error.state, error.more);
    else show("failed", `${error.name}: ${error.message}`);
  } finally {
    busy = false;
  }
}

async function look() {
  show("looking");
  check();
  registration = await register();
  subscription = await registration.pushManager.getSubscription();
  const key = await vapidKey();
  if (Notification.permission === "denied") throw new Trouble("denied");
  if (!subscription) return show("ready");
  if (!hasKey(subscription, key)) return show("changed");
  // Says it again: the server may have lost what the browser remembers.
  await tell("subscribe", subscription);
  return show("subscribed");
}

async function join() {
  show("working");
  // Both at once: some browsers subscribe only shortly after a click.
  const [key] = await Promise.all([vapidKey(), askPermission()]);
  subscription = await subscribe(registration, key);
  try {
    await tell("subscribe", subscription);
  } catch (trouble) {
    // A browser that the server does not know would wait in vain.
    await subscription.unsubscribe();
    subscription = null;
    throw trouble;
  }
  show("subscribed");
}

async function sendTest() {
  if (!(await tell("test", subscription))) throw new Trouble("forgotten");
  note("A test is on its way. It should be shown within a few seconds.");
}

async function leave() {
  const leaving = subscription;
  show("working", "Unsubscribing…");
  // Also when the server is away: the push service answers 410 to the next message.
  await tell("unsubscribe", leaving).catch(() => {});
  await leaving.unsubscribe();
  subscription = null;
  show("ready");
  note("Unsubscribed: nothing more comes to this browser.");
}

function arrived({ title, body }) {
  const line = document.createElement("li");
  for (const [tag, className, text] of [["span", "what", title], ["time", "", new Date().toLocaleTimeString()], ["span", "body", body]]) {
    const part = document.createElement(tag);
    part.className = className;
    part.textContent = text;
    line.append(part);
  }
  at("arrived").prepend(line);
  while (at("arrived").children.length > MAX_ARRIVALS) at("arrived").lastChild.remove();
  at("arrivals").hidden = false;
  note(`Arrived: ${title}`);
}

at("subscribe").addEventListener("click", () => attempt(join));
at("test").addEventListener("click", () => attempt(sendTest));
at("retry").addEventListener("click", () => attempt(look));
at("unsubscribe").addEventListener("click", () => attempt(leave));
navigator.serviceWorker?.addEventListener("message", (event) => arrived(event.data));
attempt(look);
