// Mouse, pen and fingers. The wheel scrolls; dragging does what the tool says; one finger scrolls, two window or pinch.
(() => {
  const { Ruler } = window.PacsViewer;
  const STEP = 18; // pixels of a drag that are one image
  const CLICK = 120; // of a wheel that turns finely

  const bind = (host, view) => {
    const element = view.element;
    const fingers = new Map();
    let drag = null;
    let turned = 0;
    let pair = null;

    const at = (event) => { const box = element.getBoundingClientRect(); return { x: event.clientX - box.left, y: event.clientY - box.top }; };
    const fromMiddle = (point) => { const box = element.getBoundingClientRect(); return { x: point.x - box.width / 2, y: point.y - box.height / 2 }; };
    const scrollBy = (state, pixels) => {
      state.rest += pixels;
      const steps = Math.trunc(state.rest / STEP);
      if (steps) { state.rest -= steps * STEP; view.go(view.at + steps); }
    };
    const windowBy = (x, y) => { const each = view.windowNow.width / 300; view.shiftWindow(y * each, x * each); };

    element.addEventListener("wheel", (event) => {
      event.preventDefault();
      host.activate(view);
      if (event.ctrlKey) { const point = fromMiddle(at(event)); view.setZoom(view.zoom * (event.deltaY < 0 ? 1.12 : 1 / 1.12), point.x, point.y); return; }
      if (Math.abs(event.deltaY) >= 40 || event.deltaMode) { turned = 0; view.go(view.at + Math.sign(event.deltaY)); return; }
      turned += event.deltaY * 3;
      if (Math.abs(turned) >= CLICK) { view.go(view.at + Math.sign(turned)); turned = 0; }
    }, { passive: false });

    const two = () => {
      const [one, other] = [...fingers.values()];
      return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2, apart: Math.hypot(one.x - other.x, one.y - other.y) };
    };

    // Both the same way is the window, apart or together the zoom; what it began with is what it goes on with.
    const meant = () => {
      const [one, other] = [...fingers.values()].map((now, place) => ({ x: now.x - pair.begun[place].x, y: now.y - pair.begun[place].y }));
      const [less, more] = [Math.hypot(one.x, one.y), Math.hypot(other.x, other.y)].sort((a, b) => a - b);
      if (more < 10 || (less < 6 && more < 40)) return "";
      return less >= 6 && one.x * other.x + one.y * other.y > 0 ? "window" : "zoom";
    };

    element.addEventListener("pointerdown", (event) => {
      host.activate(view);
      element.focus({ preventScroll: true });
      try { element.setPointerCapture(event.pointerId); } catch { /* the pointer is gone already */ }
      fingers.set(event.pointerId, at(event));
      if (fingers.size === 2) { drag = null; pair = { ...two(), mode: "", begun: [...fingers.values()] }; return; }
      const tool = event.pointerType === "touch" && host.tool === "window" ? "stack" : event.button === 1 ? "pan" : event.button === 2 ? "zoom" : host.tool;
      drag = { ...at(event), tool, rest: 0 };
      if (tool === "ruler" && view.bitmap) { const point = view.toImage(drag.x, drag.y); view.ruler = new Ruler(point, point); view.ruler.kept = true; }
      if (event.button === 1) event.preventDefault();
    });
    element.addEventListener("contextmenu", (event) => event.preventDefault());

    element.addEventListener("pointermove", (event) => {
      if (!fingers.has(event.pointerId)) return;
      const now = at(event);
      fingers.set(event.pointerId, now);
      if (pair && fingers.size === 2) {
        const both = two();
        if (!pair.mode) pair.mode = meant();
        if (!pair.mode) return;
        if (pair.mode === "zoom") { const point = fromMiddle(both); view.setZoom((view.zoom * both.apart) / pair.apart, point.x, point.y); } else windowBy(both.x - pair.x, both.y - pair.y);
        pair = { ...pair, ...both };
        return;
      }
      if (!drag) return;
      const x = now.x - drag.x;
      const y = now.y - drag.y;
      if (drag.tool === "window") windowBy(x, y);
      else if (drag.tool === "stack") scrollBy(drag, y);
      else if (drag.tool === "pan") view.move(x, y);
      else if (drag.tool === "zoom") view.setZoom(view.zoom * Math.exp(-y / 180));
      else if (drag.tool === "ruler" && view.ruler) { view.ruler.to = view.toImage(now.x, now.y); view.paint(); }
      drag.x = now.x;
      drag.y = now.y;
    });

    const end = (event) => {
      fingers.delete(event.pointerId);
      if (fingers.size < 2) pair = null;
      if (!fingers.size) { if (drag?.tool === "ruler" && view.ruler) host.announce(view.ruler.words(view)); drag = null; }
    };
    element.addEventListener("pointerup", end);
    element.addEventListener("pointercancel", end);
  };

  window.PacsViewer.bindPointers = bind;
})();
