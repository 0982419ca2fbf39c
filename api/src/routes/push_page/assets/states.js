// What a person may meet here, in plain words: a tone, a title, what it means and what can be done, with code between `.
// Buttons are those of the page; who is subscribed may leave in any state.
export const STATES = {
  looking: { tone: "calm", title: "Looking at this browser…", text: "" },
  insecure: {
    tone: "bad",
    title: "This address is not secure enough",
    text: "Browsers take push messages only on pages with `https://`, or on `localhost`. Open this page at such an address.",
  },
  unsupported: {
    tone: "bad",
    title: "This browser cannot do this",
    text: "It has no push messages. On an iPhone or iPad: add this page to the Home Screen, and open it from there. Private windows may have none either.",
  },
  unset: {
    tone: "warn",
    title: "Web push is not set up on this server",
    text: "The operator has to set `VAPID_PRIVATE_KEY`, `VAPID_PUBLIC_KEY` and `VAPID_EMAIL`, and start it again. `hookyard keys vapid` prints all three.",
    buttons: ["retry"],
  },
  away: {
    tone: "warn",
    title: "The server does not answer as it should",
    text: "It may be starting, or the network may be down. Try again in a moment.",
    buttons: ["retry"],
  },
  slow: {
    tone: "warn",
    title: "That was a little too often",
    text: "The server asks you to wait a moment before you try again.",
    buttons: ["retry"],
  },
  refused: {
    tone: "bad",
    title: "The server did not take that",
    text: "",
    buttons: ["retry"],
  },
  denied: {
    tone: "bad",
    title: "Notifications are blocked for this page",
    text: "Notifications from this page are blocked. Allow them in the browser's settings for this page (often left of the address), then check again.",
    buttons: ["retry"],
  },
  ready: {
    tone: "calm",
    title: "Not subscribed yet",
    text: "Your browser will ask whether notifications may be shown.",
    buttons: ["subscribe"],
  },
  working: { tone: "calm", title: "One moment…", text: "If your browser asks, allow notifications." },
  noservice: {
    tone: "bad",
    title: "This browser has no push service",
    text: "It reached no service that takes messages for it. Private windows have none, some browsers are built without one or have it switched off in their settings, and some networks block it.",
    buttons: ["subscribe"],
  },
  failed: { tone: "bad", title: "That did not work", text: "", buttons: ["retry"] },
  subscribed: {
    tone: "good",
    title: "Subscribed",
    text: "This browser gets what is announced.",
    buttons: ["test"],
  },
  changed: {
    tone: "warn",
    title: "The server has a new key",
    text: "What it sends no longer reaches this browser. Subscribe again to get it.",
    buttons: ["subscribe"],
  },
  forgotten: {
    tone: "warn",
    title: "The server does not know this browser any more",
    text: "Its subscription was removed. Subscribe again to get what is announced.",
    buttons: ["subscribe"],
  },
};

// The end of an attempt: the state to show, with details if there are any.
export class Trouble extends Error {
  constructor(state, more = "") {
    super(more || state);
    this.state = state;
    this.more = more;
  }
}
