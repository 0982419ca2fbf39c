// The theme: the system's, or the reader's choice, which a cookie carries so that no page flashes.
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const shown = () => root.dataset.theme || (dark.matches ? "dark" : "light");

  function choose(theme) {
    // Back to what the system says anyway: no choice to remember.
    const system = dark.matches ? "dark" : "light";
    if (theme === system) {
      delete root.dataset.theme;
      document.cookie = "hookyard_theme=; Path=/; Max-Age=0; SameSite=Strict";
    } else {
      root.dataset.theme = theme;
      document.cookie = `hookyard_theme=${theme}; Path=/; Max-Age=31536000; SameSite=Strict`;
    }
    document.dispatchEvent(new CustomEvent("theme"));
  }

  function describe(button) {
    const other = shown() === "dark" ? "light" : "dark";
    button.setAttribute("aria-label", `Switch to the ${other} theme`);
    button.title = `Switch to the ${other} theme`;
  }

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-switch]");
    if (!button) return;
    button.hidden = false;
    describe(button);
    button.addEventListener("click", () => choose(shown() === "dark" ? "light" : "dark"));
    document.addEventListener("theme", () => describe(button));
    dark.addEventListener("change", () => document.dispatchEvent(new CustomEvent("theme")));
  });
})();
