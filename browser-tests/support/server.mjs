// The real program on free ports, with a data directory of its own, and a receiver for what it sends.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const BINARY = process.env.HOOKYARD_BIN ?? fileURLToPath(new URL("../../target/debug/hookyard", import.meta.url));
const PATIENCE_MS = 30_000;

export const UPLOAD_FILE = "21f8e1f7-4142-42f9-ac30-74961702b2eb";

async function freePort() {
  const socket = net.createServer().listen(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

export class Server {
  static async start(settings = {}) {
    const server = new Server();
    server.folder = await mkdtemp(path.join(os.tmpdir(), "hookyard-browser-"));
    server.api = `http://127.0.0.1:${await freePort()}`;
    server.dashboard = `http://127.0.0.1:${await freePort()}`;
    server.settings = settings;
    await server.launch();
    return server;
  }

  async launch() {
    const env = {
      PATH: process.env.PATH,
      DATA_DIR: this.folder,
      DATABASE_URL: `sqlite://${path.join(this.folder, "app.db")}`,
      API_ADDR: new URL(this.api).host,
      DASHBOARD_ADDR: new URL(this.dashboard).host,
      LOG_LEVEL: "WARNING",
      ...this.settings,
    };
    this.child = spawn(BINARY, ["serve"], { env, cwd: this.folder, stdio: ["ignore", "pipe", "pipe"] });
    this.log = "";
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on("data", (text) => { this.log += text; });
    }
    this.exited = once(this.child, "exit");
    await Promise.race([this.answers(), this.exited.then(() => { throw new Error(`ended at once:\n${this.log}`); })]);
  }

  async answers() {
    const until = Date.now() + PATIENCE_MS;
    while (Date.now() < until) {
      const up = await Promise.all([`${this.api}/event_type`, this.dashboard].map((url) => fetch(url).then(() => true, () => false)));
      if (up.every(Boolean)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`did not answer in time:\n${this.log}`);
  }

  async halt() {
    this.child.kill("SIGTERM");
    const [code] = await this.exited;
    return code;
  }

  async stop() {
    const code = await this.halt();
    await rm(this.folder, { recursive: true, force: true });
    return code;
  }

  headers() {
    return this.settings.ADMIN_API_KEY ? { "x-api-key": this.settings.ADMIN_API_KEY } : {};
  }

  async register(url, userId = 1) {
    const response = await fetch(`${this.api}/webhook/register`, {
      method: "POST",
      headers: { "content-type": "application/json", ...this.headers() },
      body: `{"event_type_id": "${UPLOAD_FILE}", "user_id": ${userId}, "url": ${JSON.stringify(url)}}`,
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${answer}`);
    return JSON.parse(answer).data.id;
  }

  async upload(webhook, name = "picture.csv", content = "a,b\n1,2\n") {
    const form = new FormData();
    form.append("file", new Blob([content]), name);
    const url = `${this.api}/upload_file/webhook_id/${webhook}`;
    const response = await fetch(url, { method: "POST", headers: this.headers(), body: form });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  }
}

// Answers with the given statuses in turn, then repeats the last one.
export class Receiver {
  static async start(...statuses) {
    const receiver = new Receiver();
    receiver.calls = [];
    receiver.statuses = statuses.length ? statuses : [200];
    receiver.server = http.createServer((request, response) => {
      let body = "";
      request.on("data", (piece) => { body += piece; });
      request.on("end", () => {
        receiver.calls.push({ headers: request.headers, body });
        const status = receiver.statuses.length > 1 ? receiver.statuses.shift() : receiver.statuses[0];
        response.writeHead(status, { "content-type": "text/html" }).end(`<h1>answered ${status}</h1>`);
      });
    });
    receiver.server.listen(0, "127.0.0.1");
    await once(receiver.server, "listening");
    receiver.url = `http://127.0.0.1:${receiver.server.address().port}/a/hook`;
    return receiver;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
