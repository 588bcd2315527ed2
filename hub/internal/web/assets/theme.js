// Runs before the first paint, so that a dark page does not flash white. The
// server writes the choice; "auto" follows the system, now and when it changes.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const choice = root.dataset.theme;
    root.dataset.bsTheme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
  };
  dark.addEventListener("change", apply);
  window.evergrantTheme = apply;
  apply();
})();
