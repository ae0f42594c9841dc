// Frames and facts as the lab gives them. A frame is fetched once for a window and kept; why there is none is a sentence.
(() => {
  const MOST = 160;

  class Trouble extends Error {}

  class Frames {
    constructor(root, words) {
      this.words = words;
      this.frameAddress = root.dataset.frame;
      this.factsAddress = root.dataset.facts;
      this.kept = new Map();
      this.known = new Map();
    }

    address(image, window_) {
      const plain = this.frameAddress.replace("SOPINSTANCE", image.sop).replace("/0.png", `/${image.frame}.png`);
      return window_ ? `${plain}?center=${window_.center}&width=${window_.width}` : plain;
    }

    // A bitmap; the same promise for whoever asks again.
    get(image, window_) {
      const address = this.address(image, window_);
      const kept = this.kept.get(address);
      if (kept) {
        this.kept.delete(address);
        this.kept.set(address, kept);
        return kept;
      }
      const coming = this.fetch(address);
      this.kept.set(address, coming);
      coming.catch(() => this.kept.delete(address));
      for (const [oldest, bitmap] of this.kept) {
        if (this.kept.size <= MOST) break;
        this.kept.delete(oldest);
        bitmap.then((one) => one.close(), () => {});
      }
      return coming;
    }

    has(image, window_) { return this.kept.has(this.address(image, window_)); }

    async fetch(address) {
      let answer;
      try { answer = await fetch(address, { headers: { Accept: "image/png, application/json" } }); } catch { throw new Trouble(this.words.lost); }
      if (!answer.ok) throw new Trouble(await this.why(answer));
      return createImageBitmap(await answer.blob());
    }

    async why(answer) {
      try {
        const said = await answer.json();
        return [said.sentence, said.mend].filter(Boolean).join(" ");
      } catch { return this.words.lost; }
    }

    // What the header says; null where it cannot be read, which is told when the frame is asked for.
    facts(sop) {
      if (!this.known.has(sop)) {
        const address = this.factsAddress.replace("SOPINSTANCE", sop);
        const coming = fetch(address).then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
        this.known.set(sop, coming);
        coming.then((found) => { if (!found) this.known.delete(sop); });
      }
      return this.known.get(sop);
    }
  }

  window.PacsViewer = { Frames, Trouble };
})();
