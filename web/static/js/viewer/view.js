// One view: a series in it, the image shown, its window, zoom and place, and what is written around it.
(() => {
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  const between = (value, least, most) => Math.min(Math.max(value, least), most);
  const rounded = (value) => (Math.abs(value) < 10 && value % 1 ? Number(value.toFixed(1)) : Math.round(value));

  class View {
    constructor(host, element, number) {
      this.host = host;
      this.element = element;
      this.number = number;
      this.canvas = element.querySelector("canvas");
      this.series = null;
      this.images = [];
      this.at = 0;
      this.bitmap = null;
      this.facts = null;
      this.ruler = null;
      this.asked = 0;
      this.busy = false;
      this.again = false;
      this.still();
      new ResizeObserver(() => this.paint()).observe(element);
    }

    still() { this.window = null; this.zoom = 1; this.pan = { x: 0, y: 0 }; this.inverted = false; }

    corner(name) { return this.element.querySelector(`[data-corner="${name}"], [data-side="${name}"]`); }

    // What it is windowed from: what was chosen, else what the header says, else what is usual.
    get windowNow() {
      if (this.window) return this.window;
      const facts = this.facts;
      if (facts && facts.center !== null && facts.width !== null) return { center: facts.center, width: facts.width };
      const [center, width] = this.host.begin[this.series?.modality] || [128, 256];
      return { center, width };
    }

    get hasMany() { return this.images.length > 1; }
    get hasFrames() { return this.images.some((one) => one.of > 1); }

    assign(series) {
      this.series = series;
      this.images = series ? series.images.flatMap(([sop, frames]) => Array.from({ length: frames }, (_, n) => ({ sop, frame: n + 1, of: frames }))) : [];
      this.at = 0;
      this.bitmap = this.facts = this.ruler = null;
      this.still();
      this.show();
    }

    go(to) {
      if (!this.images.length) return;
      const next = between(to, 0, this.images.length - 1);
      if (next === this.at) return;
      if (this.images[next].sop !== this.images[this.at].sop) this.ruler = null;
      this.at = next;
      this.show();
    }

    setWindow(center, width) { this.window = { center, width: Math.max(1, width) }; this.show(); }
    shiftWindow(brighter, wider) { const now = this.windowNow; this.setWindow(now.center + brighter, now.width + wider); }
    setZoom(zoom, x = 0, y = 0) {
      const before = this.zoom;
      this.zoom = between(zoom, 0.2, 20);
      // What is under the pointer stays there.
      const factor = this.zoom / before;
      this.pan = { x: x - (x - this.pan.x) * factor, y: y - (y - this.pan.y) * factor };
      this.paint();
    }
    move(x, y) { this.pan = { x: this.pan.x + x, y: this.pan.y + y }; this.paint(); }
    invert() { this.inverted = !this.inverted; this.paint(); }
    reset() { this.still(); this.ruler = null; this.show(); }

    show() {
      this.host.changed(this);
      this.write();
      if (!this.images.length) { this.paint(); this.say(!this.series ? (this.missing || this.host.words.empty) : this.host.words.no_images); return; }
      this.load();
    }

    // One request at a time: a fast wheel skips images instead of queueing them.
    async load() {
      if (this.busy) { this.again = true; return; }
      this.busy = true;
      const image = this.images[this.at];
      const wait = this.element.querySelector("[data-wait]");
      const slow = setTimeout(() => { wait.hidden = false; }, 180);
      try {
        const [bitmap, facts] = await Promise.all([this.host.frames.get(image, this.window), this.host.frames.facts(image.sop)]);
        if (this.images[this.at] === image || this.again) { this.bitmap = bitmap; this.facts = facts; this.say(""); }
      } catch (trouble) {
        if (this.images[this.at] === image) { this.bitmap = null; this.facts = null; this.say(trouble.message || this.host.words.lost, true); }
      }
      clearTimeout(slow);
      wait.hidden = true;
      this.busy = false;
      if (this.again) { this.again = false; this.load(); return; }
      this.paint();
      this.write();
      this.host.drawn(this);
      const next = this.images[this.at + 1];
      if (next) this.host.frames.get(next, this.window).catch(() => {});
    }

    say(sentence, isTrouble = false) {
      const wrong = this.element.querySelector("[data-wrong]");
      wrong.classList.toggle("is-trouble", isTrouble);
      wrong.querySelector("span").textContent = sentence;
      wrong.hidden = !sentence;
    }

    // How an image's pixels lie on the screen: at 1 it fits. Pixels that are not square are drawn as they are.
    place() {
      const box = this.element.getBoundingClientRect();
      const [down, across] = this.facts?.spacing || [1, 1];
      const stretch = this.bitmap ? down / across : 1;
      const wide = this.bitmap?.width || 1;
      const high = (this.bitmap?.height || 1) * stretch;
      const scale = Math.min(box.width / wide, box.height / high) * this.zoom;
      return { scale, stretch, left: (box.width - wide * scale) / 2 + this.pan.x, top: (box.height - high * scale) / 2 + this.pan.y, box };
    }

    toImage(x, y) { const on = this.place(); return { x: (x - on.left) / on.scale, y: (y - on.top) / (on.scale * on.stretch) }; }
    toScreen(point) { const on = this.place(); return { x: on.left + point.x * on.scale, y: on.top + point.y * on.scale * on.stretch }; }

    paint() {
      const on = this.place();
      const dense = window.devicePixelRatio || 1;
      const width = Math.round(on.box.width * dense);
      const height = Math.round(on.box.height * dense);
      if (this.canvas.width !== width || this.canvas.height !== height) { this.canvas.width = width; this.canvas.height = height; }
      const pen = this.canvas.getContext("2d");
      pen.setTransform(dense, 0, 0, dense, 0, 0);
      pen.clearRect(0, 0, on.box.width, on.box.height);
      if (!this.bitmap) return;
      pen.imageSmoothingEnabled = on.scale < 4;
      pen.imageSmoothingQuality = "high";
      const area = [on.left, on.top, this.bitmap.width * on.scale, this.bitmap.height * on.scale * on.stretch];
      pen.drawImage(this.bitmap, ...area);
      if (this.inverted) {
        pen.globalCompositeOperation = "difference";
        pen.fillStyle = "#fff";
        pen.fillRect(...area);
        pen.globalCompositeOperation = "source-over";
      }
      this.ruler?.paint(pen, this);
      this.write();
    }

    get imageWords() {
      const words = this.host.words;
      const image = this.images[this.at];
      if (!image) return "";
      const said = fill(words.image, { n: this.at + 1, m: this.images.length });
      return image.of > 1 ? `${said}, ${fill(words.frame, { n: image.frame, m: image.of })}` : said;
    }

    get windowWords() {
      const words = this.host.words;
      const now = this.windowNow;
      const values = { l: rounded(now.center), w: rounded(now.width) };
      if (this.window) return fill(words.window, values);
      return this.facts && this.facts.center !== null ? fill(words.stored, values) : words.stored_plain;
    }

    write() {
      const { words, patient } = this.host;
      const series = this.series;
      const facts = this.facts || {};
      const put = (name, lines) => { const text = lines.filter(Boolean).join("\n"); const at = this.corner(name); if (at.textContent !== text) at.textContent = text; };
      put("tl", series ? patient : []);
      put("tr", series ? [series.prior ? fill(words.prior, { date: series.date }) : series.date, series.study_text, series.text] : []);
      put("bl", series ? [this.imageWords, facts.location_mm != null ? fill(words.slice, { mm: facts.location_mm.toFixed(1) }) : "", [facts.view, /^[LRB]$/.test(facts.laterality) ? facts.laterality : ""].filter(Boolean).join(" ")] : []);
      put("br", this.images.length ? [this.windowWords + (facts.unit ? ` ${facts.unit}` : ""), fill(words.zoom, { z: Math.round(this.zoom * 100) }), this.inverted ? words.inverted : ""] : []);
      const turned = this.zoom !== 1 ? null : facts.orientation;
      const opposite = { R: "L", L: "R", A: "P", P: "A", H: "F", F: "H" };
      put("right", [turned?.[0]]); put("bottom", [turned?.[1]]); put("left", [opposite[turned?.[0]]]); put("top", [opposite[turned?.[1]]]);
      const place = fill(words.place, { n: this.number + 1 });
      const label = series ? fill(words.label, { place, series: [series.modality, series.text].filter(Boolean).join(" "), image: this.imageWords || words.no_images }) : `${place}. ${this.missing || words.empty}`;
      this.element.setAttribute("aria-label", label);
      this.canvas.setAttribute("aria-label", label);
    }
  }

  Object.assign(window.PacsViewer, { View, fill, between });
})();
