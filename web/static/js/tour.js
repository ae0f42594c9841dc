// Frames what the present step of the tour speaks of, opens what it lies in, and brings it into sight above the panel.
document.addEventListener("DOMContentLoaded", () => {
  const panel = document.querySelector("[data-tour-point]");
  if (!panel || !panel.dataset.tourPoint) return;
  const find = () => document.querySelector(panel.dataset.tourPoint);
  const frame = () => find()?.classList.add("tour-target");
  const target = find();
  document.addEventListener("htmx:after:swap", frame);
  if (!target) return;
  frame();
  const fold = target.closest("details:not([open])");
  if (fold) fold.open = true;
  const hidden = target.closest("[data-panel][hidden]");
  if (hidden) document.querySelector(`.panel-tabs a[href="#${hidden.id}"]`)?.click();
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  // Again whenever the page above it grows, until the reader goes somewhere by themselves.
  let theirs = false;
  for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"]) addEventListener(kind, () => { theirs = true; }, { passive: true });
  const bring = () => {
    const now = find();
    if (!theirs && now) now.scrollIntoView({ block: "start", inline: "nearest", behavior: calm ? "auto" : "smooth" });
  };
  if (document.readyState === "complete") bring(); else addEventListener("load", bring);
  new ResizeObserver(bring).observe(document.getElementById("main"));
});
