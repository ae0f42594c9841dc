// Sets the theme before the first paint: light, dark or as the system has it, in usual or high contrast. Kept in this browser.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const contrast = matchMedia("(prefers-contrast: more)");
  const read = (key) => { try { return localStorage.getItem(key) || "auto"; } catch { return "auto"; } };
  const write = (key, value) => { try { localStorage.setItem(key, value); } catch { /* not kept, still shown */ } };
  const kept = () => read("theme");
  // A choice made here goes before the system's.
  const isHigh = () => (read("contrast") === "auto" ? contrast.matches : read("contrast") === "more");
  const show = () => {
    const wanted = kept();
    document.documentElement.dataset.bsTheme = wanted === "auto" ? (dark.matches ? "dark" : "light") : wanted;
    document.documentElement.dataset.contrast = isHigh() ? "more" : "usual";
  };
  window.theme = {
    kept,
    isHigh,
    choose(wanted) { write("theme", wanted); show(); },
    setContrast(high) { write("contrast", high ? "more" : "usual"); show(); },
  };
  dark.addEventListener("change", show);
  contrast.addEventListener("change", show);
  show();
})();
