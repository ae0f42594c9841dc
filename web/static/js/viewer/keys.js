// Everything by keys, while a view has the focus. While a ruler is laid, arrows move its ends.
(() => {
  const { Ruler } = window.PacsViewer;

  const rulerKey = (host, view, event) => {
    const step = event.ctrlKey ? 10 : 1;
    const ways = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const way = ways[event.key];
    if (way) { view.ruler.nudge(view, event.shiftKey ? "from" : "to", ...way); view.paint(); host.announce(view.ruler.words(view)); return true; }
    if (event.key === "Enter") { view.ruler.kept = true; host.announce(view.ruler.words(view)); return true; }
    if (event.key === "Escape") { view.ruler = null; view.paint(); return true; }
    return false;
  };

  const acts = (host, view) => {
    const step = Math.max(1, Math.round(view.windowNow.width / 20));
    return {
      ArrowDown: () => view.go(view.at + 1), ArrowRight: () => view.go(view.at + 1), ArrowUp: () => view.go(view.at - 1), ArrowLeft: () => view.go(view.at - 1),
      PageDown: () => view.go(view.at + 10), PageUp: () => view.go(view.at - 10), Home: () => view.go(0), End: () => view.go(view.images.length - 1),
      w: () => view.shiftWindow(step, 0), s: () => view.shiftWindow(-step, 0), a: () => view.shiftWindow(0, step), d: () => view.shiftWindow(0, -step),
      "+": () => view.setZoom(view.zoom * 1.2), "=": () => view.setZoom(view.zoom * 1.2), "-": () => view.setZoom(view.zoom / 1.2), "−": () => view.setZoom(view.zoom / 1.2),
      i: () => host.act("invert"), r: () => host.act("reset"), t: () => host.act("tags"), "?": () => host.act("help"), " ": () => host.act("cine"),
      m: () => { if (!view.bitmap) return; view.ruler = view.ruler ? null : Ruler.across(view); view.paint(); if (view.ruler) host.announce(view.ruler.words(view)); },
      v: () => host.nextLayout(), ",": () => host.otherSeries(view, -1), ".": () => host.otherSeries(view, 1),
    };
  };

  const bind = (host, view) => view.element.addEventListener("keydown", (event) => {
    if (event.metaKey || event.altKey || (event.ctrlKey && !view.ruler)) return;
    const moves = { ArrowLeft: [-40, 0], ArrowRight: [40, 0], ArrowUp: [0, -40], ArrowDown: [0, 40] };
    let done = true;
    if (view.ruler && !view.ruler.kept && rulerKey(host, view, event)) done = true;
    else if (event.shiftKey && moves[event.key]) view.move(...moves[event.key]);
    else if (/^[1-9]$/.test(event.key)) done = host.preset(view, Number(event.key) - 1);
    else {
      const known = acts(host, view);
      const act = known[event.key] || known[event.key.toLowerCase()];
      if (act) act();
      done = Boolean(act);
    }
    if (done) event.preventDefault();
  });

  window.PacsViewer.bindKeys = bind;
})();
