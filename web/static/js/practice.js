// What practising adds to a page: an exam's time as it runs out, and filters that need no button.
(() => {
  const loaded = Date.now();
  const clocks = [...document.querySelectorAll("[data-countdown]")];
  const tick = () => clocks.forEach((clock) => {
    const left = Math.max(0, Number(clock.dataset.countdown) - Math.floor((Date.now() - loaded) / 1000));
    clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    clock.hidden = false;
    if (left === 0 && Number(clock.dataset.countdown) > 0) location.reload();
  });
  if (clocks.length) { tick(); setInterval(tick, 1000); }

  // The one check of an exam is asked about before it is spent.
  const exam = document.querySelector("[data-check-confirm]");
  const ask = () => {
    const check = exam && document.querySelector("#check form");
    if (check) Object.assign(check.dataset, { confirm: exam.dataset.checkConfirm, confirmButton: exam.dataset.checkButton });
  };
  ask();
  document.addEventListener("htmx:after:swap", ask);

  // A filter that is changed shows its result at once, and the address says what was asked; the button is for whoever
  // has no scripts.
  const prepare = (asked) => document.querySelectorAll("form[data-at-once]").forEach((form) => {
    form.querySelectorAll("[data-without-scripts]").forEach((part) => { part.hidden = true; });
    if (!asked) return;
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
    history.replaceState(history.state, "", query.size ? `${form.action}?${query}` : form.action);
  });
  prepare(false);
  document.addEventListener("htmx:after:swap", () => prepare(true));
  const print = document.querySelector("[data-print]");
  if (print) { print.hidden = false; print.addEventListener("click", () => window.print()); }
})();
