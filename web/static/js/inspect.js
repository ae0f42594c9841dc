// Walking through lists of messages, fields and elements by the arrow keys; what was chosen is marked and read out.
(() => {
  const links = (list) => [...list.querySelectorAll("a[href]")].filter((link) => link.offsetParent !== null);

  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const list = event.target.closest?.(".walk");
    if (!list || !event.target.matches("a[href]")) return;
    const all = links(list);
    const at = all.indexOf(event.target);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined || !all[next]) return;
    event.preventDefault();
    all[next].focus();
  });

  // A message that was opened beside the ladder: mark it there and go to it, as following a link would.
  let chosen = null;
  document.addEventListener("click", (event) => {
    const line = event.target.closest?.(".rung-line");
    if (line) chosen = line;
  });
  document.addEventListener("htmx:after:swap", () => {
    if (chosen?.isConnected) {
      document.querySelectorAll(".rung-line[aria-current]").forEach((line) => line.removeAttribute("aria-current"));
      chosen.setAttribute("aria-current", "true");
      document.querySelector("#looked-at .step-name")?.focus({ preventScroll: matchMedia("(min-width: 1001px)").matches });
      document.getElementById("looked-at")?.scrollTo(0, 0);
    }
    chosen = null;
    follow();
  });
  // Escape leads back from the message to its line in the ladder.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !event.target.closest?.("#looked-at")) return;
    document.querySelector(".rung-line[aria-current]")?.focus();
  });

  // A log that is followed stays at its end, unless somebody has scrolled up to read.
  let reading = false;
  const box = () => document.querySelector("[data-follow]");
  const follow = () => { const log = box(); if (log && !reading) log.scrollTop = log.scrollHeight; };
  document.addEventListener("scroll", (event) => {
    if (event.target === box()) reading = event.target.scrollHeight - event.target.scrollTop - event.target.clientHeight > 40;
  }, true);
  follow();
})();
