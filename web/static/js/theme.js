// Sets the theme before the first paint: light, dark, or as the system has it. Kept in this browser.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const kept = () => { try { return localStorage.getItem("theme") || "auto"; } catch { return "auto"; } };
  const show = () => {
    const wanted = kept();
    document.documentElement.dataset.bsTheme = wanted === "auto" ? (dark.matches ? "dark" : "light") : wanted;
  };
  window.theme = {
    kept,
    choose(wanted) { try { localStorage.setItem("theme", wanted); } catch { /* not kept, still shown */ } show(); },
  };
  dark.addEventListener("change", show);
  show();
})();
