// Says whether the page is live, marks rows that arrived, and speaks the counters now and then.
(() => {
  const words = { connecting: "Connecting", live: "Live", trouble: "Database away", lost: "Reconnecting" };
  const SPEAK_EVERY = 15000;

  function tell(state) {
    const sign = document.getElementById("live");
    if (!sign || sign.dataset.state === state) return;
    sign.dataset.state = state;
    sign.querySelector(".live-text").textContent = words[state];
  }

  document.addEventListener("htmx:sse:after:connection", (event) => {
    const status = event.detail.connection.status;
    tell(status === 200 ? "live" : "lost");
  });
  document.addEventListener("htmx:sse:close", () => tell("lost"));
  document.addEventListener("htmx:sse:error", (event) => {
    // The session ended: the page leads to the login by itself.
    if (event.detail.status === 401) window.location.reload();
    tell("lost");
  });
  document.addEventListener("trouble", () => tell("trouble"));
  document.addEventListener("rates", () => tell("live"));

  let known = new Set();
  const rows = () => [...document.querySelectorAll("[data-row]")];

  function markArrivals() {
    const first = known.size === 0;
    const present = rows();
    for (const row of present) {
      if (first || known.has(row.id)) continue;
      row.classList.add("arrived");
      row.addEventListener("animationend", () => row.classList.remove("arrived"), { once: true });
    }
    known = new Set(present.map((row) => row.id));
  }

  let spokenAt = 0;
  function speak() {
    const line = document.querySelector("[data-spoken]");
    const speaker = document.getElementById("speaker");
    if (!line || !speaker || Date.now() - spokenAt < SPEAK_EVERY) return;
    spokenAt = Date.now();
    if (speaker.textContent !== line.dataset.spoken) speaker.textContent = line.dataset.spoken;
  }

  document.addEventListener("DOMContentLoaded", markArrivals);
  document.addEventListener("htmx:after:swap", () => {
    markArrivals();
    speak();
  });
})();
