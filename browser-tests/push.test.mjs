// A browser subscribes, receives a notification and unsubscribes. Headless Chromium has no push service, so a fake replaces it.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, Reader } from "./support/browser.mjs";
import { PushService, deliver, freshKeys, standIn } from "./support/push.mjs";
import { Server } from "./support/server.mjs";

const GRANTED = { permissions: ["notifications"] };

describe("the push page", () => {
  let browser;
  let server;
  let service;

  before(async () => {
    service = await PushService.start();
    server = await Server.start(freshKeys());
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    service?.stop();
    assert.equal(await server?.stop(), 0, "a clean end");
  });

  async function open(allow = []) {
    const reader = await Reader.open(browser, GRANTED, allow);
    await reader.page.addInitScript(standIn, service.subscription());
    reader.asked = [];
    reader.page.on("request", (request) => {
      const path = new URL(request.url()).pathname;
      if (path.startsWith("/api/push/") && request.method() === "POST") reader.asked.push([path, request.postDataJSON()]);
    });
    await reader.goto(`${server.api}/push/`);
    return reader;
  }

  const press = (reader, name) => reader.page.getByRole("button", { name, exact: true }).click();

  async function subscribed(allow) {
    const reader = await open(allow);
    await press(reader, "Subscribe");
    await reader.says("subscribed");
    return reader;
  }

  // As anybody could who knows the keys.
  async function ask(what, body = service.subscription()) {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${server.api}/api/push/${what}`, { method: "POST", headers, body: JSON.stringify(body) });
    return (await answer.json()).success;
  }

  test("its worker has the scope /push/, and the address without the slash leads there", async () => {
    const reader = await open();
    await reader.says("ready");
    const scope = await reader.page.evaluate(async () => (await navigator.serviceWorker.ready).scope);
    assert.equal(scope, `${server.api}/push/`);
    await reader.goto(`${server.api}/push`);
    assert.equal(reader.page.url(), `${server.api}/push/`);
    await reader.close();
  });

  test("a test that one sends oneself is encrypted, arrives, and is shown", async () => {
    const reader = await subscribed();
    await press(reader, "Send myself a test");
    await reader.page.getByText("A test is on its way").waitFor();
    const stored = service.subscription();
    assert.deepEqual(reader.asked, [["/api/push/subscribe", stored], ["/api/push/test", stored]]);

    const { headers, payload } = await service.message(0);
    assert.equal(headers["content-encoding"], "aes128gcm");
    const key = await (await fetch(`${server.api}/api/push/vapid-key`)).json();
    assert.ok(headers.authorization.endsWith(`, k=${key.publicKey}`), "signed with the key that was subscribed with");
    await deliver(reader, server.api, payload);
    await reader.page.locator("#arrived").getByText("It works").waitFor();
    const shown = await reader.page.evaluate(async () => {
      const all = await (await navigator.serviceWorker.ready).getNotifications();
      return all.map(({ title, body, tag }) => ({ title, body, tag }));
    });
    const { title, body, event_id: tag } = JSON.parse(payload);
    assert.deepEqual(shown, [{ title, body, tag }]);
    await deliver(reader, server.api, payload);
    await reader.page.locator("#arrived li").nth(1).waitFor();
    const count = await reader.page.evaluate(async () => (await (await navigator.serviceWorker.ready).getNotifications()).length);
    assert.equal(count, 1, "what comes twice is shown once");
    await reader.close();
  });

  test("a click opens the message's link, or this page where there is none", async () => {
    const reader = await subscribed();
    const [worker] = reader.context.serviceWorkers();
    // Only a real click may open windows, and headless browsers have none to click on.
    const clicked = (data) => worker.evaluate(async (text) => {
      const led = [];
      self.clients.openWindow = async (url) => { led.push(`opens ${url}`); };
      WindowClient.prototype.focus = async function focus() { led.push(`focuses ${new URL(this.url).pathname}`); };
      await show(read({ json: () => JSON.parse(text), text: () => text }));
      const [notification] = await self.registration.getNotifications();
      const event = new NotificationEvent("notificationclick", { notification });
      let work;
      event.waitUntil = (promise) => { work = promise; };
      self.dispatchEvent(event);
      await work;
      const left = (await self.registration.getNotifications()).length;
      return [...led, `${left} left`];
    }, data);
    const message = (url) => JSON.stringify({ title: "t", body: "b", url, event_id: "e" });
    assert.deepEqual(await clicked(message("https://a.example/b")), ["opens https://a.example/b", "0 left"]);
    for (const none of [undefined, "javascript:alert(1)", "nowhere"]) {
      assert.deepEqual(await clicked(message(none)), ["focuses /push/", "0 left"], String(none));
    }
    assert.deepEqual(await clicked("not JSON"), ["focuses /push/", "0 left"]);
    await reader.page.locator("#arrived").getByText("not JSON").waitFor();
    await reader.goto(`${server.api}/`);
    assert.deepEqual(await clicked(message()), ["opens /push/", "0 left"]);
    await reader.close();
  });

  test("a reload finds the subscription, and tells the server of it again", async () => {
    const reader = await subscribed();
    assert.equal(await ask("unsubscribe"), true);
    await reader.page.reload();
    await reader.says("subscribed");
    assert.equal(reader.asked.length, 2);
    assert.equal(await ask("test"), true, "what the server had lost it has again");
    await reader.close();
  });

  test("unsubscribing removes the subscription everywhere", async () => {
    const reader = await subscribed();
    await press(reader, "Unsubscribe");
    await reader.says("ready");
    await reader.page.getByText("Unsubscribed").waitFor();
    assert.deepEqual(reader.asked.at(-1), ["/api/push/unsubscribe", service.subscription()]);
    assert.equal(await ask("unsubscribe"), false);
    assert.equal(await ask("test"), false);
    await reader.page.reload();
    await reader.says("ready");
    await reader.close();
  });

  test("a server that has forgotten a browser says so, and takes it again", async () => {
    const reader = await subscribed();
    await ask("unsubscribe");
    await press(reader, "Send myself a test");
    await reader.says("forgotten");
    await press(reader, "Subscribe again");
    await reader.says("subscribed");
    await reader.close();
  });

  test("a subscription to an older key is renewed", async () => {
    const reader = await subscribed();
    await reader.page.evaluate(() => localStorage.setItem("the-key-of-the-stand-in", "\u0004 another key"));
    await reader.page.reload();
    await reader.says("changed");
    await press(reader, "Subscribe again");
    await reader.says("subscribed");
    await reader.page.reload();
    await reader.says("subscribed");
    await reader.close();
  });

  test("a subscription that the server rejects is removed from the browser, with a message", async () => {
    const reader = await open([/422/]);
    await reader.page.route("**/api/push/subscribe", (route) => {
      route.fulfill({ status: 422, json: { detail: [{ loc: ["body", "endpoint"], msg: "endpoint is not public", type: "value_error" }] } });
    });
    await press(reader, "Subscribe");
    await reader.says("refused");
    await reader.page.getByText("endpoint is not public").waitFor();
    assert.equal(await reader.page.evaluate(() => localStorage.length), 0);
    assert.equal(await reader.page.getByRole("button", { name: "Unsubscribe" }).count(), 0);
    await reader.close();
  });

  test("all of it is done by keyboard, and the focus is never lost", async () => {
    const reader = await open();
    const { page } = reader;
    await reader.says("ready");
    const focused = () => page.evaluate(() => document.activeElement.textContent.trim());
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "Subscribe");
    assert.equal(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "solid");
    await page.keyboard.press("Enter");
    await reader.says("subscribed");
    assert.equal(await focused(), "Send myself a test");
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "Unsubscribe");
    await page.keyboard.press("Enter");
    await reader.says("ready");
    assert.equal(await focused(), "Subscribe");
    await reader.close();
  });
});
