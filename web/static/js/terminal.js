// The terminal's keys: earlier lines, completion, stop, clear, copy. Without this script it is a form that works.
(() => {
  const place = document.querySelector("[data-terminal]");
  if (!place) return;
  const form = place.querySelector("form.term-form");
  const input = form.elements.line;
  const log = place.querySelector("[data-term-log]");
  const prompt = place.querySelector("[data-term-prompt]");
  const runButton = place.querySelector("[data-term-run]");
  const stopButton = place.querySelector("[data-term-stop]");
  const copyButton = place.querySelector("[data-term-copy]");
  const clearButton = place.querySelector("[data-term-clear]");
  const words = place.dataset;
  const token = form.elements.csrf_token.value;
  const MOST = 60;
  const key = (what) => `terminal.${words.key}.${what}`;
  const kept = (what, otherwise) => { try { return JSON.parse(sessionStorage.getItem(key(what))) ?? otherwise; } catch { return otherwise; } };
  const keep = (what, value) => { try { sessionStorage.setItem(key(what), JSON.stringify(value)); } catch { /* full, or a private window */ } };

  let typed = kept("typed", []);
  let at = typed.length;
  let draft = "";
  let running = "";
  let leave = false;
  let screen = kept("screen", []);

  const go = (directory) => {
    form.elements.directory.value = directory;
    prompt.textContent = `${words.node}:${directory}`;
    keep("directory", directory);
  };
  const toEnd = () => { log.scrollTop = log.scrollHeight; };
  const made = (tag, name, text) => {
    const found = document.createElement(tag);
    found.className = name;
    found.textContent = text;
    return found;
  };
  const lineOf = (where, line) => {
    const shown = made("p", "term-line", "");
    shown.append(made("span", "term-prompt", `${where}$`), " ", made("span", "term-typed", line));
    return shown;
  };
  const remember = (where, line, text) => {
    screen = [...screen, { where, line, text: text.slice(0, 20000) }].slice(-MOST);
    keep("screen", screen);
  };
  const wipe = () => { log.replaceChildren(); screen = []; keep("screen", screen); };

  // What was on the screen before this page was loaded is there again.
  for (const one of log.children.length ? [] : screen) {
    const block = made("div", "term-ran", "");
    block.append(lineOf(one.where, one.line));
    if (one.text) block.append(made("pre", "term-text", one.text));
    log.append(block);
  }
  if (!log.children.length || screen.length) go(kept("directory", form.elements.directory.value));
  copyButton.hidden = !window.copying.isPossible;
  clearButton.hidden = false;
  toEnd();
  input.focus({ preventScroll: true });

  const busy = (is) => {
    runButton.hidden = is;
    stopButton.hidden = !is;
    input.readOnly = is;
    log.setAttribute("aria-busy", String(is));
  };

  const look = async (run, text) => {
    while (running === run) {
      await new Promise((wake) => { setTimeout(wake, 600); });
      if (running !== run) return;
      try {
        const answer = await fetch(`${words.now}?${new URLSearchParams({ node: words.node, run })}`);
        const found = await answer.json();
        if (running !== run || !found.running) return;
        text.textContent = found.text || words.working;
        toEnd();
      } catch { return; }
    }
  };

  const run = async () => {
    const line = input.value;
    const where = `${words.node}:${form.elements.directory.value}`;
    if (running) return;
    if (line.trim()) {
      typed = [...typed.filter((one, index) => index !== typed.length - 1 || one !== line), line].slice(-200);
      keep("typed", typed);
    }
    at = typed.length;
    draft = "";
    running = crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2);
    const mine = running;
    form.elements.run.value = mine;
    const data = new FormData(form);
    const block = made("div", "term-ran", "");
    const text = made("pre", "term-text term-working", words.working);
    block.append(lineOf(where, line), text);
    log.append(block);
    input.value = "";
    busy(true);
    toEnd();
    look(mine, text);
    try {
      const answer = await fetch(form.action, { method: "POST", body: data, headers: { "X-Terminal": "script", "X-CSRFToken": token } });
      if (answer.redirected) {
        // The exam is over, or nobody is logged in any more: that is a page of its own, and no line of a terminal.
        window.location.assign(answer.url);
        return;
      }
      const part = await answer.text();
      if (!answer.ok) throw new Error(String(answer.status));
      running = "";
      if (answer.headers.get("X-Clears") === "1") wipe();
      else {
        const found = document.createElement("template");
        found.innerHTML = part;
        const shown = found.content.querySelector(".term-text");
        remember(where, line, shown ? shown.textContent : "");
        block.replaceWith(found.content);
        if (window.htmx?.process) window.htmx.process(log.lastElementChild);
      }
      go(answer.headers.get("X-Directory") || form.elements.directory.value);
    } catch {
      text.textContent = words.lost;
    } finally {
      running = "";
      busy(false);
      toEnd();
      input.focus({ preventScroll: true });
    }
  };

  const stop = async () => {
    if (!running) return;
    const last = log.querySelector(".term-ran:last-child .term-working");
    if (last && last.textContent === words.working) last.textContent = words.stopping;
    const data = new FormData();
    data.set("run", running);
    data.set("csrf_token", token);
    try { await fetch(words.cancel, { method: "POST", body: data, headers: { "X-CSRFToken": token } }); } catch { /* its end will be told */ }
  };

  const complete = async () => {
    const line = input.value.slice(0, input.selectionStart);
    const rest = input.value.slice(input.selectionStart);
    let found;
    try {
      const query = new URLSearchParams({ node: words.node, line, directory: form.elements.directory.value });
      found = await (await fetch(`${words.words}?${query}`)).json();
    } catch { return; }
    if (!found.words?.length) return;
    let common = found.words[0];
    for (const word of found.words) while (!word.startsWith(common)) common = common.slice(0, -1);
    if (common.length > line.length - found.start) {
      input.value = line.slice(0, found.start) + common + rest;
      input.setSelectionRange(found.start + common.length, found.start + common.length);
    } else if (found.words.length > 1) {
      const block = made("div", "term-ran", "");
      block.append(made("p", "term-note", `${words.several} ${found.words.map((word) => word.trim().split("/").slice(word.endsWith("/") ? -2 : -1).join("/")).join("  ")}`));
      log.append(block);
      toEnd();
    }
  };

  const recall = (step) => {
    if (at === typed.length) draft = input.value;
    at = Math.min(typed.length, Math.max(0, at + step));
    input.value = at === typed.length ? draft : typed[at];
    setTimeout(() => input.setSelectionRange(input.value.length, input.value.length));
  };

  form.addEventListener("submit", (event) => { event.preventDefault(); run(); });
  stopButton.addEventListener("click", stop);
  clearButton.addEventListener("click", () => { wipe(); input.focus(); });
  copyButton.addEventListener("click", () => window.copying.copy(log.innerText, copyButton.querySelector("span"), words.copied));
  document.addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-term-try]");
    if (chosen) { event.preventDefault(); input.value = chosen.dataset.termTry; input.focus(); }
  });
  place.addEventListener("keydown", (event) => {
    if (event.ctrlKey && event.key.toLowerCase() === "c" && !String(getSelection())) {
      if (running) { event.preventDefault(); stop(); } else if (document.activeElement === input && input.selectionStart === input.selectionEnd) {
        event.preventDefault(); input.value = ""; at = typed.length;
      }
    }
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowUp") { event.preventDefault(); recall(-1); }
    else if (event.key === "ArrowDown") { event.preventDefault(); recall(1); }
    else if (event.ctrlKey && event.key.toLowerCase() === "l") { event.preventDefault(); wipe(); }
    else if (event.key === "Escape") leave = true;
    else if (event.key === "Tab" && !event.shiftKey && input.value && !leave && !running) { event.preventDefault(); complete(); }
    if (event.key !== "Escape" && event.key !== "Tab") leave = false;
  });
  input.addEventListener("blur", () => { leave = false; });
  const where = document.getElementById("term-node");
  where?.addEventListener("change", () => where.form.requestSubmit());
})();
