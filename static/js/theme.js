// The chosen theme, before the first paint. Without a choice the system decides.
(() => {
  const root = document.documentElement;
  const apply = () => {
    const wanted = localStorage.getItem("theme");
    if (wanted === "light" || wanted === "dark") root.dataset.bsTheme = wanted;
    else delete root.dataset.bsTheme;
  };
  apply();
  addEventListener("storage", apply);
  addEventListener("DOMContentLoaded", () => {
    const choice = document.querySelector("[data-theme-choice]");
    if (!choice) return;
    choice.hidden = false;
    for (const radio of choice.querySelectorAll("input")) {
      radio.checked = radio.value === (localStorage.getItem("theme") ?? "");
      radio.addEventListener("change", () => {
        localStorage.setItem("theme", radio.value);
        apply();
      });
    }
  });
})();
