// The trainee's desk: the notebook's drawer, the panels of a drill as tabs, the end of a conversation in sight.
// Without this script the notebook is a page, and the panels stand below each other.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const kept = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const keep = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private window */ } };

  // Drawer
  const drawer = document.getElementById("notebook-drawer");
  const opener = document.querySelector("[data-notebook-open]");
  const typing = (element) => element.closest?.("input, textarea, select, [contenteditable], [role=application]");
  const write = () => document.getElementById("note-text");
  let opened = null;
  const open = () => {
    opened = document.activeElement;
    drawer.hidden = false;
    opener.setAttribute("aria-expanded", "true");
    htmx.trigger(document.getElementById("notebook-body"), "notebook-opened");
    write().focus();
  };
  const close = () => {
    drawer.hidden = true;
    opener.setAttribute("aria-expanded", "false");
    (opened && opened.isConnected && opened !== document.body ? opened : opener).focus();
  };
  const byKey = () => kept("notebook-key") !== "off";
  all("[data-notebook-key]").forEach((box) => {
    box.checked = byKey();
    box.addEventListener("change", () => keep("notebook-key", box.checked ? "on" : "off"));
  });
  document.addEventListener("click", (event) => {
    if (drawer && event.target.closest("[data-notebook-open]")) {
      event.preventDefault();
      if (drawer.hidden) open(); else close();
    }
    if (drawer && event.target.closest("[data-notebook-close]")) close();
  });
  document.addEventListener("keydown", (event) => {
    // The focus is in the drawer, or nowhere: what held it was swapped away a moment ago.
    const ours = drawer && !drawer.hidden && (drawer.contains(document.activeElement) || document.activeElement === document.body);
    if (event.key === "Escape" && ours) { close(); return; }
    if (event.key !== "n" || event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !byKey()) return;
    if (document.querySelector("dialog[open]")) return;
    if (drawer) { event.preventDefault(); if (drawer.hidden) open(); else write().focus(); } else if (write()) { event.preventDefault(); write().focus(); }
  });

  // A note that was taken leaves room for the next; one that was not stays to be sent again.
  document.addEventListener("note-written", (event) => { event.target.reset(); write().focus(); });

  // Panels as tabs
  const group = document.querySelector("[data-panels]");
  const panels = () => all("[data-panel]", group);
  const links = group ? all(".panel-tabs a", group) : [];
  const wanted = () => {
    const asked = location.hash.slice(1);
    return links.some((link) => link.hash === `#${asked}`) ? asked : group.dataset.shown || "check";
  };
  const show = (name) => {
    group.dataset.shown = name;
    panels().forEach((panel) => {
      panel.hidden = panel.id !== name;
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", `tab-${panel.id}`);
    });
    links.forEach((link) => {
      const here = link.hash === `#${name}`;
      link.setAttribute("aria-selected", String(here));
      link.tabIndex = here ? 0 : -1;
    });
  };
  if (group) {
    const strip = group.querySelector(".panel-tabs");
    strip.hidden = false;
    strip.querySelector("ul").setAttribute("role", "tablist");
    strip.querySelector("ul").setAttribute("aria-label", strip.getAttribute("aria-label"));
    links.forEach((link) => {
      link.parentElement.setAttribute("role", "presentation");
      link.setAttribute("role", "tab");
      link.id = `tab-${link.hash.slice(1)}`;
      link.setAttribute("aria-controls", link.hash.slice(1));
      link.addEventListener("click", (event) => {
        event.preventDefault();
        history.replaceState(history.state, "", link.hash);
        show(link.hash.slice(1));
      });
      link.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step && event.key !== " ") return;
        event.preventDefault();
        const next = step ? links[(links.indexOf(link) + step + links.length) % links.length] : link;
        next.focus();
        next.click();
      });
    });
    show(wanted());
    addEventListener("hashchange", () => show(wanted()));
    // A link from elsewhere on the page ("Diagnose") opens its panel and goes there, each time it is followed.
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[href^='#']");
      if (!link || links.includes(link) || !links.some((tab) => tab.hash === link.hash)) return;
      show(link.hash.slice(1));
    });
    if (location.hash && document.querySelector(location.hash)) document.querySelector(location.hash).scrollIntoView();
  }

  // A page that is being left asks for nothing more: a second answer that leads elsewhere would abort the first.
  let leaving = false;
  addEventListener("beforeunload", () => { leaving = true; setTimeout(() => { leaving = false; }, 10000); });
  addEventListener("pageshow", () => { leaving = false; });
  document.addEventListener("htmx:before:request", (event) => { if (leaving) event.preventDefault(); });

  // Conversations end in sight, and stay where a reader has scrolled to.
  const talks = () => all(".thread-scroll");
  const follow = (scroll) => { if (scroll.querySelector(".message")) scroll.scrollTop = scroll.scrollHeight; };
  const atEnd = new WeakMap();
  talks().forEach((scroll) => { follow(scroll); atEnd.set(scroll, true); });
  document.addEventListener("scroll", (event) => {
    const scroll = event.target;
    if (scroll.classList?.contains("thread-scroll")) atEnd.set(scroll, scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60);
  }, true);

  // What a form swaps away, or folds, takes the focus with it: give it back to what came.
  let from = null;
  document.addEventListener("submit", (event) => { from = event.target.closest(".notebook, .ask") ? event.target : null; }, true);
  document.addEventListener("htmx:after:swap", () => {
    if (group) show(group.dataset.shown);
    const said = document.getElementById("check-said"), news = document.getElementById("check")?.dataset.say || "";
    if (said && said.textContent !== news) said.textContent = news;
    talks().forEach((scroll) => { if (atEnd.get(scroll) !== false || from?.closest(".thread")?.contains(scroll)) follow(scroll); });
    const again = document.querySelector("[data-focus]");
    if (again) { again.removeAttribute("data-focus"); again.focus(); }
    if (write() && from && !from.checkVisibility()) (from.closest("details")?.querySelector("summary") || write()).focus();
    from = null;
  });
})();
