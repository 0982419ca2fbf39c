// Keeps relative times moving; the server wrote them first, in the same words.
(() => {
  function span(seconds) {
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
    if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
    return `${Math.floor(seconds / 86400)} days`;
  }

  function relative(at, now) {
    const seconds = Math.trunc((at - now) / 1000);
    if (seconds === 0) return "now";
    return seconds < 0 ? `${span(-seconds)} ago` : `in ${span(seconds)}`;
  }

  // The server's clock as far as it is known: a reader's own may be minutes off.
  let ahead = 0;
  document.addEventListener("rates", (event) => {
    ahead = JSON.parse(event.detail.data).now - Date.now();
  });

  function move() {
    const now = Date.now() + ahead;
    for (const element of document.querySelectorAll("time[data-moment]")) {
      const text = relative(Date.parse(element.dateTime), now);
      if (element.textContent !== text) element.textContent = text;
    }
  }

  document.addEventListener("DOMContentLoaded", () => setInterval(move, 1000));
  document.addEventListener("htmx:after:swap", move);
})();
