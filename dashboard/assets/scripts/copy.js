// Copy buttons. Browsers offer the clipboard on secure pages only; elsewhere an old command does.
(() => {
  function copyBySelection(text) {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return copyBySelection(text);
    }
  }

  function show() {
    for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    const source = button && document.getElementById(button.dataset.copy);
    if (!source) return;
    const copied = await copy(source.textContent);
    button.textContent = copied ? "Copied" : "Press Ctrl+C";
    if (!copied) window.getSelection().selectAllChildren(source);
    button.focus();
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  document.addEventListener("DOMContentLoaded", show);
  document.addEventListener("htmx:after:swap", show);
})();
