// A push service on this machine and one browser behind it, for a Chromium that has none: real keys, real encryption.
// What it gets, it reads as RFC 8291 says; the browser's own worker is handed it by the debugging protocol.
import { execFileSync } from "node:child_process";
import { createDecipheriv, createECDH, hkdfSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { BINARY } from "./server.mjs";

// Settings of web push, as the program itself prints them.
export function freshKeys() {
  const lines = execFileSync(BINARY, ["keys", "vapid"], { encoding: "utf8" }).split("\n");
  return Object.fromEntries(lines.filter((line) => line.startsWith("VAPID_")).map((line) => line.split(/=(.*)/s, 2)));
}

export class PushService {
  static async start() {
    const service = new PushService();
    service.messages = [];
    service.ecdh = createECDH("prime256v1");
    service.ecdh.generateKeys();
    service.auth = randomBytes(16);
    service.server = http.createServer(async (request, response) => {
      const pieces = [];
      for await (const piece of request) pieces.push(piece);
      service.messages.push({ headers: request.headers, payload: service.read(Buffer.concat(pieces)) });
      response.writeHead(201).end();
    });
    service.server.listen(0, "127.0.0.1");
    await once(service.server, "listening");
    return service;
  }

  // What the browser would tell of its subscription.
  subscription() {
    const keys = { p256dh: this.ecdh.getPublicKey("base64url"), auth: this.auth.toString("base64url") };
    return { endpoint: `http://127.0.0.1:${this.server.address().port}/push/a-secret-address`, expirationTime: null, keys };
  }

  // One record of aes128gcm: salt, size, the sender's key, then what is encrypted.
  read(body) {
    const [salt, sender] = [body.subarray(0, 16), body.subarray(21, 86)];
    const info = Buffer.concat([Buffer.from("WebPush: info\0"), this.ecdh.getPublicKey(), sender]);
    const secret = Buffer.from(hkdfSync("sha256", this.ecdh.computeSecret(sender), this.auth, info, 32));
    const part = (name, length) => Buffer.from(hkdfSync("sha256", secret, salt, `Content-Encoding: ${name}\0`, length));
    const open = createDecipheriv("aes-128-gcm", part("aes128gcm", 16), part("nonce", 12));
    open.setAuthTag(body.subarray(-16));
    const text = Buffer.concat([open.update(body.subarray(86, -16)), open.final()]);
    return text.subarray(0, text.lastIndexOf(2)).toString();
  }

  async message(place) {
    const until = Date.now() + 20_000;
    while (this.messages.length <= place) {
      if (Date.now() > until) throw new Error(`message ${place} did not come`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return this.messages[place];
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

// Puts a subscription into the place of the browser's own, before the page's scripts run. A reload keeps it.
export const standIn = (told) => {
  const KEY = "the-key-of-the-stand-in";
  const made = (letters) => ({
    endpoint: told.endpoint,
    options: { applicationServerKey: Uint8Array.from(letters, (letter) => letter.charCodeAt(0)).buffer },
    toJSON: () => told,
    unsubscribe: async () => {
      localStorage.removeItem(KEY);
      return true;
    },
  });
  PushManager.prototype.getSubscription = async () => {
    const letters = localStorage.getItem(KEY);
    return letters === null ? null : made(letters);
  };
  PushManager.prototype.subscribe = async ({ applicationServerKey, userVisibleOnly }) => {
    if (!userVisibleOnly || Notification.permission !== "granted") throw new DOMException("not allowed", "NotAllowedError");
    localStorage.setItem(KEY, String.fromCharCode(...applicationServerKey));
    return made(localStorage.getItem(KEY));
  };
};

// Hands data to the page's worker, as the browser does when its push service brings some.
export async function deliver(reader, origin, data) {
  const session = await reader.context.newCDPSession(reader.page);
  const found = new Promise((resolve) => {
    session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const one = registrations.find(({ scopeURL, isDeleted }) => scopeURL === `${origin}/push/` && !isDeleted);
      if (one) resolve(one.registrationId);
    });
  });
  await session.send("ServiceWorker.enable");
  await session.send("ServiceWorker.deliverPushMessage", { origin, registrationId: await found, data });
  await session.detach();
}

// Blocks notifications, as a person does who once said no. Lasts as long as the session does.
export async function block(reader, origin) {
  const session = await reader.context.newCDPSession(reader.page);
  const { targetInfo } = await session.send("Target.getTargetInfo");
  const { browserContextId } = targetInfo;
  await session.send("Browser.setPermission", { permission: { name: "notifications" }, setting: "denied", origin, browserContextId });
}
