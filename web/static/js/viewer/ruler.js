// A ruler on an image: two points in its pixels, measured in millimetres where the header has a pixel spacing.
(() => {
  const { fill, between } = window.PacsViewer;

  class Ruler {
    constructor(from, to) { this.from = from; this.to = to; this.kept = false; }

    static across(view) {
      const wide = view.bitmap?.width || 100;
      const high = view.bitmap?.height || 100;
      return new Ruler({ x: wide * 0.4, y: high / 2 }, { x: wide * 0.6, y: high / 2 });
    }

    nudge(view, end, x, y) {
      const point = this[end];
      this[end] = { x: between(point.x + x, 0, view.bitmap?.width || 0), y: between(point.y + y, 0, view.bitmap?.height || 0) };
    }

    words(view) {
      const { words } = view.host;
      const across = this.to.x - this.from.x;
      const down = this.to.y - this.from.y;
      const facts = view.facts;
      if (!facts?.spacing) return fill(words.pixels, { px: Math.hypot(across, down).toFixed(0) });
      // The bitmap may be smaller than the image; its pixels then stand for several.
      const scale = facts.columns && view.bitmap ? facts.columns / view.bitmap.width : 1;
      const mm = Math.hypot(down * facts.spacing[0], across * facts.spacing[1]) * scale;
      return `${fill(words.ruler, { mm: mm.toFixed(1) })}${facts.spacing_of ? `, ${fill(words.of, { of: facts.spacing_of })}` : ""}`;
    }

    paint(pen, view) {
      const from = view.toScreen(this.from);
      const to = view.toScreen(this.to);
      pen.save();
      pen.lineCap = "round";
      for (const [colour, width] of [["#000", 5], ["#ffd98a", 2]]) {
        pen.strokeStyle = colour;
        pen.lineWidth = width;
        pen.beginPath();
        pen.moveTo(from.x, from.y);
        pen.lineTo(to.x, to.y);
        for (const end of [from, to]) { pen.moveTo(end.x + 5, end.y); pen.arc(end.x, end.y, 5, 0, 7); }
        pen.stroke();
      }
      const text = this.words(view);
      pen.font = "600 13px Inter, system-ui, sans-serif";
      const wide = pen.measureText(text).width;
      const box = view.element.getBoundingClientRect();
      const x = between((from.x + to.x) / 2 - wide / 2, 6, Math.max(6, box.width - wide - 6));
      const y = between((from.y + to.y) / 2 + 26, 18, box.height - 8);
      pen.fillStyle = "rgb(0 0 0 / 75%)";
      pen.fillRect(x - 5, y - 15, wide + 10, 21);
      pen.fillStyle = "#ffd98a";
      pen.fillText(text, x, y);
      pen.restore();
    }
  }

  window.PacsViewer.Ruler = Ruler;
})();
