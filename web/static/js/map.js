// The map's motion: lines move where the reader's system allows it, and anybody can stop them. The choice is kept.
(() => {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const kept = () => { try { return localStorage.getItem("map-motion"); } catch { return null; } };
  const keep = (value) => { try { localStorage.setItem("map-motion", value); } catch { /* for this page only */ } };
  let paused = kept() === "paused";

  const show = () => {
    document.documentElement.dataset.mapMotion = paused || still.matches ? "paused" : "moving";
    document.querySelectorAll("button[data-map-motion]").forEach((button) => {
      button.hidden = still.matches;
      button.setAttribute("aria-pressed", String(paused));
      button.querySelector("span").textContent = paused ? button.dataset.wordPlay : button.dataset.wordPause;
    });
  };
  document.addEventListener("click", (event) => {
    if (!event.target.closest("button[data-map-motion]")) return;
    paused = !paused;
    keep(paused ? "paused" : "moving");
    show();
  });
  still.addEventListener("change", show);
  document.addEventListener("htmx:after:swap", show);
  show();
})();
