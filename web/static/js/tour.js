// Frames what the present step of the tour speaks of, and brings it into sight.
(() => {
  const panel = document.querySelector("[data-tour-point]");
  if (!panel) return;
  const show = () => {
    const target = panel.dataset.tourPoint && document.querySelector(panel.dataset.tourPoint);
    if (!target || target.classList.contains("tour-target")) return;
    target.classList.add("tour-target");
    const fold = target.closest("details:not([open])");
    if (fold) fold.open = true;
  };
  show();
  const target = document.querySelector(".tour-target");
  if (target) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    target.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  }
  document.addEventListener("htmx:after:swap", show);
})();
