// What plain HTML and htmx leave open: theme buttons, confirmation, copying, map or list, the feed's length, unsaved edits.
// Every part works on what it finds in the page and does nothing where it finds nothing.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const keep = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private window */ } };
  const kept = (key) => { try { return localStorage.getItem(key); } catch { return null; } };

  // Theme
  const showTheme = () => all("[data-theme-choice]").forEach((button) =>
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === window.theme.kept())));
  const showContrast = () => all("[data-contrast-choice]").forEach((button) =>
    button.setAttribute("aria-pressed", String(window.theme.isHigh())));
  all(".themes").forEach((group) => { group.hidden = false; });
  showTheme();
  showContrast();

  // Map or list: both are in the page, so that neither needs the server.
  const twin = () => kept("map-twin") || (matchMedia("(max-width: 700px)").matches ? "list" : "picture");
  const showTwin = (root = document) => {
    all("[data-twins]", root).forEach((group) => { group.hidden = false; });
    all("[data-twin]", root).forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.twin === twin())));
    all("[data-twin-of]", root).forEach((part) => { part.hidden = part.dataset.twinOf !== twin(); });
  };

  // Another AE by hand: shown only when it is chosen.
  const showOther = (select) => {
    const other = document.getElementById(select.dataset.other);
    if (other) other.hidden = select.value !== "";
  };

  // The lab has its own clock: the page says how long it has been, the browser counts on from there.
  const loaded = Date.now();
  const tick = () => all("[data-elapsed]").forEach((clock) => {
    const seconds = Math.max(0, Number(clock.dataset.elapsed) + Math.floor((Date.now() - loaded) / 1000));
    const minutes = Math.floor(seconds / 60);
    const pad = (n) => String(n).padStart(2, "0");
    clock.querySelector("span").textContent = minutes < 60
      ? `${minutes}:${pad(seconds % 60)}` : `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(seconds % 60)}`;
    clock.hidden = false;
  });

  // Copying: by the clipboard, which is there only over https and on one's own machine, or by a selection as of old.
  const canCopy = Boolean(navigator.clipboard) || document.queryCommandSupported("copy");
  const copyBySelection = (text) => {
    const focused = document.activeElement;
    const area = document.createElement("textarea");
    area.className = "visually-hidden";
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    focused.focus({ preventScroll: true });
    return done;
  };
  // Put the text into the clipboard and say so on the label, for a moment.
  const copyText = async (text, label, said) => {
    let done = true;
    try { await navigator.clipboard.writeText(text); } catch { done = copyBySelection(text); }
    if (!done || label.textContent === said) return;
    const before = label.textContent;
    label.textContent = said;
    setTimeout(() => { label.textContent = before; }, 1500);
  };
  window.copying = { isPossible: canCopy, copy: copyText };

  const prepare = (root) => {
    showTwin(root);
    all("[data-other]", root).forEach(showOther);
    all("[data-copy]", root).forEach((button) => { button.hidden = !canCopy; });
  };
  prepare(document);
  tick();
  setInterval(tick, 1000);
  // On a small screen the department's menu begins folded.
  // A wide screen shows the console's places at once: browsers that cannot style a closed fold get an open one.
  const wide = matchMedia("(min-width: 1000px)");
  const showPlaces = () => all(".top-fold:not(.always)").forEach((fold) => { fold.open = wide.matches; });
  wide.addEventListener("change", showPlaces);
  showPlaces();
  if (matchMedia("(max-width: 900px)").matches) all(".side-fold").forEach((fold) => { fold.open = false; });

  document.addEventListener("click", (event) => {
    const theme = event.target.closest("[data-theme-choice]");
    if (theme) { window.theme.choose(theme.dataset.themeChoice); showTheme(); return; }
    if (event.target.closest("[data-contrast-choice]")) { window.theme.setContrast(!window.theme.isHigh()); showContrast(); return; }
    const side = event.target.closest("[data-twin]");
    if (side) { keep("map-twin", side.dataset.twin); showTwin(); return; }
    const copy = event.target.closest("[data-copy]");
    if (copy) copyText(copy.dataset.copy, copy.lastChild, copy.dataset.copied);
  });
  // Menus close by Escape and by a click elsewhere.
  const menus = () => all("[data-menu][open]").filter((menu) => menu.classList.contains("always") || !menu.classList.contains("top-fold") || !wide.matches);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menus().forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); });
  });
  document.addEventListener("click", (event) => menus().forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; }));
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-other]")) showOther(event.target);
  });

  // Confirmation: a form with data-confirm is sent only after the dialog's yes.
  const dialog = document.getElementById("confirm");
  let asking = null;
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.confirm && asking !== form) {
      event.preventDefault();
      event.stopImmediatePropagation();
      dialog.querySelector("p").textContent = form.dataset.confirm;
      dialog.querySelector("[value=yes]").textContent = form.dataset.confirmButton || "Yes";
      dialog.returnValue = "no";
      dialog.onclose = () => {
        if (dialog.returnValue !== "yes") return;
        asking = form;
        form.requestSubmit();
      };
      dialog.showModal();
      return;
    }
    asking = null;
    if (form.hasAttribute("data-guard")) leaving = true;
    // Long work: the button says so, and is not pressed twice.
    const button = form.querySelector("button[type=submit]");
    if (button && form.dataset.busy) {
      const words = document.createElement("span");
      words.className = "working";
      words.setAttribute("role", "status");
      words.textContent = form.dataset.busy;
      button.after(words);
      setTimeout(() => { button.disabled = true; });
    }
  }, true);

  // Edits that were not saved are not lost without asking.
  let edited = false;
  let leaving = false;
  document.addEventListener("input", (event) => { if (event.target.closest("[data-guard]")) edited = true; });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-undo]")) leaving = true; });
  addEventListener("beforeunload", (event) => {
    const form = document.querySelector("[data-guard]");
    if (form && !leaving && (edited || form.hasAttribute("data-edited"))) event.preventDefault();
  });
  document.addEventListener("htmx:before:request", (event) => {
    const button = event.target.closest?.("[data-guard] button[name=act]");
    if (button) leaving = button.value === "save";
  });

  // A console that does not answer is told so, once, and the notice goes when it is back.
  const offline = document.querySelector("[data-offline]");
  let away = 0;
  const ask = async () => {
    try { if ((await fetch("/health", { cache: "no-store", signal: AbortSignal.timeout(10000) })).ok) { offline.hidden = true; away = 0; return; } } catch { /* still away */ }
    offline.hidden = false;
    away = setTimeout(ask, 2000);
  };
  ["htmx:sse:error", "htmx:error", "offline"].forEach((name) => addEventListener(name, () => { if (!away) away = setTimeout(ask, 500); }));

  // A lab that has ended is told of, once, and its stream is not asked for again.
  const ended = document.querySelector("[data-ended]");
  let over = false;
  addEventListener("htmx:sse:error", (event) => {
    if (!ended || over || event.detail.status !== 404) return;
    over = true;
    ended.hidden = false;
    htmx.ajax("GET", ended.dataset.ended, { target: ended, swap: "innerHTML" });
  });
  addEventListener("htmx:sse:before:connection", (event) => { if (over) event.preventDefault(); });
  // What draws itself anew by the stream and is no more stays as it was: the same would be said in every part.
  addEventListener("htmx:after:request", (event) => {
    const { response, sourceElement } = event.detail.ctx;
    if (response.status === 404 && sourceElement.matches("[hx-trigger*='from:body']")) event.preventDefault();
  });

  document.addEventListener("htmx:after:swap", () => {
    prepare(document);
    // Only a form that came back with a complaint is edited on; other parts of the page draw themselves anew meanwhile.
    if (document.querySelector("#config-form > .said[role=alert]")) leaving = false;
    const feed = document.getElementById("feed-rows");
    if (feed) while (feed.children.length > Number(feed.dataset.most)) feed.lastElementChild.remove();
    const first = document.querySelector("#config-form [autofocus]");
    if (first && document.activeElement !== first && !first.dataset.visited) { first.dataset.visited = "1"; first.focus(); }
  });
})();
