// The exam's clock, lines that change places, and waiting while something is judged.
// The server's deadline decides; the clock only shows it. Every part does nothing where it finds nothing.
(() => {
  // The clock: counts down, can be hidden, says five minutes and one minute aloud, and lets the server close the exam.
  const box = document.querySelector("[data-exam-timer]");
  if (box) {
    const [started, startedAt] = [performance.now(), Date.now()];
    // A machine that slept has lost time on one of its clocks; the page is made anew by the server at the end anyway.
    const elapsed = () => Math.max(performance.now() - started, Date.now() - startedAt) / 1000;
    const left = Number(box.dataset.left);
    const clock = box.querySelector("[data-clock]");
    const frame = box.querySelector(".exam-clock");
    const say = box.querySelector("[data-say]");
    const button = box.querySelector("[data-hide-clock]");
    const marks = [[300, box.dataset.five], [60, box.dataset.one]].filter(([at]) => at < left);
    const keep = (hidden) => { try { localStorage.setItem("exam-clock", hidden ? "hidden" : "shown"); } catch { /* private window */ } };
    const kept = () => { try { return localStorage.getItem("exam-clock") === "hidden"; } catch { return false; } };
    const show = (hidden) => {
      frame.hidden = hidden;
      button.querySelector("span").textContent = hidden ? box.dataset.show : box.dataset.hide;
      button.setAttribute("aria-pressed", String(hidden));
    };
    button.hidden = false;
    show(kept());
    button.addEventListener("click", () => { const hidden = !frame.hidden; keep(hidden); show(hidden); });
    let closed = false;
    const tick = () => {
      const seconds = Math.max(0, Math.ceil(left - elapsed()));
      clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      box.classList.toggle("is-late", seconds <= 60);
      while (marks.length && seconds <= marks[0][0]) say.textContent = marks.shift()[1];
      if (seconds === 0 && !closed) {
        closed = true;
        say.textContent = box.dataset.over;
        const form = document.querySelector("form#paper[hx-post]");
        // What stands in the form is kept within the server's grace; then the exam is handed in by the server.
        const last = form ? fetch(form.action, { method: "POST", body: new FormData(form), headers: { "HX-Request": "true", "HX-Request-Type": "partial" } }) : Promise.resolve();
        last.catch(() => null).finally(() => setTimeout(() => location.reload(), 1500));
      }
    };
    tick();
    setInterval(tick, 500);
  }

  // An order: a place that another line has already is exchanged with it, so that every place is given once.
  document.querySelectorAll("[data-order]").forEach((group) => {
    const selects = [...group.querySelectorAll("select")];
    const before = new Map(selects.map((select) => [select, select.value]));
    group.addEventListener("change", (event) => {
      const moved = event.target;
      const other = selects.find((select) => select !== moved && select.value && select.value === moved.value);
      if (other) other.value = before.get(moved);
      selects.forEach((select) => before.set(select, select.value));
    }, true);
  });

  // What was judged is read from its beginning.
  document.querySelector("[data-focus]")?.focus();

  // While departments are being judged the page asks for it, and is made anew once they are.
  const waiting = document.querySelector("[data-wait-for]");
  if (waiting) {
    const ask = async () => {
      try {
        const answer = await fetch(waiting.dataset.waitFor);
        if (answer.ok && (await answer.json()).judged) { location.reload(); return; }
      } catch { /* the console is away; it says so itself */ }
      setTimeout(ask, 2000);
    };
    setTimeout(ask, 1000);
  }
})();
