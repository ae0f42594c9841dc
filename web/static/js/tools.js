// The tools of a node: rows of a query are added and removed here, and a long try counts its seconds.
(() => {
  const form = document.querySelector("form[data-tool]");
  if (!form) return;
  const rows = () => [...form.querySelectorAll("[data-key-row]")];
  const show = () => form.querySelectorAll("[data-key-remove]").forEach((button) => { button.hidden = rows().length < 2; });
  show();

  form.addEventListener("click", (event) => {
    const add = event.target.closest("[data-key-add]");
    if (add) {
      event.preventDefault();
      const last = rows().at(-1);
      const row = last.cloneNode(true);
      row.querySelectorAll("input").forEach((input) => {
        input.value = "";
        input.setAttribute("aria-label", input.getAttribute("aria-label").replace(/\d+/, String(rows().length + 1)));
      });
      const words = row.querySelector(".visually-hidden");
      words.textContent = words.textContent.replace(/\d+/, String(rows().length + 1));
      last.after(row);
      show();
      row.querySelector("input").focus();
      return;
    }
    const remove = event.target.closest("[data-key-remove]");
    if (remove) {
      const row = remove.closest("[data-key-row]");
      const next = row.nextElementSibling?.matches("[data-key-row]") ? row.nextElementSibling : row.previousElementSibling;
      row.remove();
      show();
      next?.querySelector("input")?.focus();
    }
  });

  const clock = form.querySelector("[data-seconds]");
  let began = 0;
  let timer = 0;
  const stop = () => { clearInterval(timer); clock.textContent = ""; };
  form.addEventListener("submit", () => {
    stop();
    began = Date.now();
    timer = setInterval(() => { clock.textContent = `${Math.floor((Date.now() - began) / 1000)} ${clock.dataset.unit}`; }, 1000);
  });
  document.addEventListener("htmx:after:swap", stop);
  document.addEventListener("htmx:error", stop);
})();
