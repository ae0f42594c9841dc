// The image viewer: wheel, keys and slider scroll; drag, keys, presets and numbers set the window. The lab draws the frames.
(() => {
  const root = document.querySelector("[data-viewer]");
  const frames = JSON.parse(root.dataset.frames);
  const screen = root.querySelector(".viewer-screen");
  const image = root.querySelector(".viewer-image");
  const slider = root.querySelector("#viewer-slider");
  const words = root.querySelector("#viewer-words");
  const wrong = root.querySelector("[data-wrong]");
  const level = root.querySelector("#viewer-center");
  const width = root.querySelector("#viewer-width");
  if (!image) return;
  const [beginCenter, beginWidth] = root.dataset.begin.split(",").map(Number);
  let at = 0;
  let window_ = null;
  let loading = false;
  let again = false;

  const address = (frame) => frames[frame] + (window_ ? `?center=${window_.center}&width=${window_.width}` : "");

  // One request at a time: a fast wheel skips frames instead of queueing them.
  const draw = () => {
    if (loading) { again = true; return; }
    loading = true;
    const next = new Image();
    const done = (isShown) => {
      loading = false;
      wrong.hidden = isShown;
      if (isShown) image.src = next.src;
      if (again) { again = false; draw(); }
    };
    next.onload = () => { done(true); if (at + 1 < frames.length) new Image().src = address(at + 1); };
    next.onerror = () => done(false);
    next.src = address(at);
  };

  const show = () => {
    slider.value = at + 1;
    words.textContent = `${at + 1} of ${frames.length}`;
    image.alt = `Image ${at + 1} of ${frames.length}`;
    root.querySelector("[data-place]").textContent = `Image ${at + 1} / ${frames.length}`;
    root.querySelector("[data-window]").textContent = window_ ? `L ${Math.round(window_.center)}  W ${Math.round(window_.width)}` : "As stored";
    level.value = window_ ? Math.round(window_.center) : "";
    width.value = window_ ? Math.round(window_.width) : "";
    draw();
  };
  const go = (frame) => { at = Math.min(Math.max(frame, 0), frames.length - 1); show(); };
  const setWindow = (center, size) => { window_ = { center, width: Math.max(1, size) }; show(); };
  const shift = (brighter, wider) => {
    const now = window_ || { center: beginCenter, width: beginWidth };
    setWindow(now.center + brighter, now.width + wider);
  };

  screen.addEventListener("wheel", (event) => { event.preventDefault(); go(at + Math.sign(event.deltaY)); }, { passive: false });
  slider.addEventListener("input", () => go(Number(slider.value) - 1));
  const byNumber = () => { if (level.value && width.value) setWindow(Number(level.value), Number(width.value)); };
  level.addEventListener("change", byNumber);
  width.addEventListener("change", byNumber);
  root.querySelectorAll("[data-preset]").forEach((button) => button.addEventListener("click", () => {
    const [center, size] = button.dataset.preset.split(",").map(Number);
    if (button.dataset.preset) setWindow(center, size); else { window_ = null; show(); }
  }));

  const step = () => Math.max(1, Math.round((window_?.width || beginWidth) / 20));
  const KEYS = {
    ArrowDown: () => go(at + 1), ArrowRight: () => go(at + 1), ArrowUp: () => go(at - 1), ArrowLeft: () => go(at - 1),
    PageDown: () => go(at + 10), PageUp: () => go(at - 10), Home: () => go(0), End: () => go(frames.length - 1),
    w: () => shift(-step(), 0), s: () => shift(step(), 0), a: () => shift(0, step()), d: () => shift(0, -step()),
    r: () => { window_ = null; show(); },
  };
  screen.addEventListener("keydown", (event) => {
    const act = KEYS[event.key] || KEYS[event.key.toLowerCase()];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });

  let drag = null;
  screen.addEventListener("pointerdown", (event) => {
    drag = { x: event.clientX, y: event.clientY };
    screen.setPointerCapture(event.pointerId);
  });
  screen.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const factor = (window_?.width || beginWidth) / 256;
    shift((event.clientY - drag.y) * factor, (event.clientX - drag.x) * factor);
    drag = { x: event.clientX, y: event.clientY };
  });
  ["pointerup", "pointercancel"].forEach((name) => screen.addEventListener(name, () => { drag = null; }));
  show();
})();
