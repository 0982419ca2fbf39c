// Headless Chromium. Every page of a test fails it on a console error or a violation of the policy.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
  "--disable-sync",
];

export const launch = (...flags) => chromium.launch({ executablePath: EXECUTABLE, args: [...FLAGS, ...flags] });

export class Reader {
  // Options are those of a browser context; `allow` are console errors that the test expects.
  static async open(browser, options = {}, allow = []) {
    const reader = new Reader();
    reader.context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    reader.context.setDefaultTimeout(20_000);
    reader.complaints = [];
    reader.allow = allow;
    reader.page = await reader.context.newPage();
    const complain = (text) => reader.complaints.push(text);
    reader.page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complain(message.text());
    });
    reader.page.on("pageerror", (error) => complain(String(error)));
    await reader.page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`);
      });
    });
    return reader;
  }

  async goto(url) {
    await this.page.goto(url);
    return this.page;
  }

  // The push page, when it says this of itself.
  async says(state) {
    await this.page.locator(`#state[data-state="${state}"]`).waitFor();
  }

  async live() {
    await this.page.locator('#live[data-state="live"]').waitFor();
  }

  async close() {
    await this.context.close();
    const unexpected = this.complaints.filter((text) => !this.allow.some((allowed) => allowed.test(text)));
    assert.deepEqual(unexpected, [], "the console is clean");
  }
}
