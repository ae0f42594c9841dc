// The viewer put together: views in a layout, the tools above, the slider and window below, the series at the side.
(() => {
  const { Frames, View, bindPointers, bindKeys } = window.PacsViewer;
  const root = document.querySelector("[data-viewer]");
  if (!root) return;
  const read = (name) => JSON.parse(root.dataset[name]);
  const one = (selector) => root.querySelector(selector);
  const all = (selector) => [...root.querySelectorAll(selector)];
  const LAYOUTS = { "1x1": 1, "1x2": 2, "2x2": 4 };
  const grid = one("[data-grid]");
  const slider = one("#viewer-slider");
  const output = one("#viewer-words");
  const level = one("#viewer-center");
  const width = one("#viewer-width");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const words = read("words");
  const presets = read("presets");
  const series = read("series");
  let views = [];
  let active = null;
  let playing = 0;

  const host = {
    words, begin: read("begin"), patient: read("patient"), frames: new Frames(root, words), tool: "window",

    activate(view) {
      if (active === view) return;
      stop();
      active = view;
      views.forEach((each) => each.element.classList.toggle("is-active", each === view));
      host.changed(view);
      loadTags();
    },

    // Something of a view is other than it was: what stands around the images follows the active one.
    changed(view) {
      if (view !== active) return;
      const count = Math.max(view.images.length, 1);
      slider.max = count;
      slider.value = view.at + 1;
      slider.setAttribute("aria-valuetext", view.imageWords);
      output.textContent = view.images.length ? `${view.at + 1} / ${view.images.length}` : "–";
      level.value = view.window ? Math.round(view.window.center) : "";
      width.value = view.window ? Math.round(view.window.width) : "";
      one('[data-act="invert"]').setAttribute("aria-pressed", String(view.inverted));
      one('[data-act="cine"]').hidden = !view.hasMany;
      all("[data-series-index]").forEach((link) => {
        const is = series[Number(link.dataset.seriesIndex)] === view.series;
        if (is) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
      });
      offerPresets(view);
    },

    drawn(view) { if (view === active) { host.changed(view); loadTags(); } },
    announce(text) { output.textContent = text; },

    preset(view, number) {
      const found = (presets[view.series?.modality] || [])[number];
      if (found) view.setWindow(found[1], found[2]);
      return Boolean(found);
    },

    act(name) {
      if (!active) return;
      if (name === "invert") { active.invert(); host.changed(active); }
      if (name === "reset") active.reset();
      if (name === "tags") toggleTags();
      if (name === "help") one(".pv-help").showModal();
      if (name === "cine" && active.hasMany) { if (playing) stop(); else play(active); }
    },

    nextLayout() { const names = Object.keys(LAYOUTS); layOut(names[(names.indexOf(grid.dataset.layout) + 1) % names.length]); active.element.focus(); },

    otherSeries(view, by) {
      const place = series.indexOf(view.series);
      const next = series[(place + by + series.length) % series.length];
      if (next) { stop(); view.missing = ""; view.assign(next); }
    },
  };

  // A view a place; what is in a view stays in it when there are more or fewer.
  const layOut = (name) => {
    stop();
    grid.dataset.layout = name;
    const count = LAYOUTS[name];
    while (views.length > count) views.pop().element.remove();
    while (views.length < count) {
      grid.append(one("[data-view-template]").content.cloneNode(true));
      const view = new View(host, grid.lastElementChild, views.length);
      views.push(view);
      bindPointers(host, view);
      bindKeys(host, view);
      view.element.addEventListener("focus", () => host.activate(view));
      fillPlace(view);
    }
    if (!views.includes(active)) host.activate(views[0]);
    all("[data-layout-choice]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.layoutChoice === name)));
  };

  // Where the hanging has nothing to say, the next series that is not shown yet.
  const hung = read("places");
  const fillPlace = (view) => {
    const place = hung[view.number];
    if (place === null && view.number < hung.length) { view.missing = words.no_prior; view.assign(null); return; }
    const shown = views.map((each) => each.series);
    view.assign(place !== undefined ? series[place] : series.find((each) => each.images.length && !shown.includes(each)) || null);
  };

  const offerPresets = (view) => {
    const here = one("[data-presets-here]");
    const kind = view.series?.modality || "";
    if (here.dataset.kind === kind) return;
    here.dataset.kind = kind;
    here.replaceChildren(...(presets[kind] || []).map(([name, center, size], number) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-sm";
      button.dataset.preset = String(number);
      const numbers = document.createElement("span");
      numbers.textContent = `${center} / ${size}`;
      button.append(`${name} `, numbers);
      return button;
    }));
  };

  // Cine: never by itself, and slower for whoever asks for less motion.
  const play = (view) => {
    const each = Math.max(view.facts?.frame_ms || 100, still.matches ? 500 : 33);
    const next = () => {
      if (!view.busy) view.go(view.at + 1 < view.images.length ? view.at + 1 : 0);
      playing = setTimeout(next, each);
    };
    playing = setTimeout(next, each);
    showPlaying();
  };
  const stop = () => { clearTimeout(playing); playing = 0; showPlaying(); };
  const showPlaying = () => {
    const button = one('[data-act="cine"]');
    button.classList.toggle("playing", Boolean(playing));
    button.querySelector("span").textContent = playing ? words.pause : words.play;
  };

  // Tags beside: those of the image that is shown, searched as one types.
  const tags = one("#pv-tags");
  let tagsOf = "";
  let typing = 0;
  const loadTags = async () => {
    const image = active?.images[active.at];
    if (tags.hidden || !image || playing) return;
    const address = `${root.dataset.tags.replace("SOPINSTANCE", image.sop)}?q=${encodeURIComponent(one("#pv-tags-q").value)}`;
    if (address === tagsOf) return;
    tagsOf = address;
    const here = one("[data-tags-here]");
    try {
      const answer = await fetch(address, { headers: { "HX-Request-Type": "partial" } });
      const text = await answer.text();
      if (tagsOf === address) here.innerHTML = text;
    } catch { here.textContent = words.lost; }
  };
  const toggleTags = () => {
    tags.hidden = !tags.hidden;
    one('[data-act="tags"]').setAttribute("aria-expanded", String(!tags.hidden));
    tagsOf = "";
    loadTags();
  };
  one("#pv-tags-q").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(loadTags, 250); });

  root.addEventListener("click", (event) => {
    const button = event.target.closest("button, a[data-series-index]");
    if (!button) return;
    const { tool, act, preset, layoutChoice, seriesIndex } = button.dataset;
    if (seriesIndex !== undefined) {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      stop();
      active.missing = "";
      active.assign(series[Number(seriesIndex)]);
    } else if (tool) {
      host.tool = tool;
      all("[data-tool]").forEach((each) => each.setAttribute("aria-pressed", String(each === button)));
    } else if (act) host.act(act);
    else if (layoutChoice) layOut(layoutChoice);
    else if (preset === "") { active.window = null; active.show(); } else if (preset) host.preset(active, Number(preset));
  });
  slider.addEventListener("input", () => { stop(); active.go(Number(slider.value) - 1); });
  const byNumber = () => { if (level.value && width.value) active.setWindow(Number(level.value), Number(width.value)); };
  level.addEventListener("change", byNumber);
  width.addEventListener("change", byNumber);
  document.addEventListener("visibilitychange", () => { if (document.hidden) stop(); });

  all("[data-needs-script], .pv-tools").forEach((part) => { part.hidden = false; });
  layOut(root.dataset.layout);
})();
