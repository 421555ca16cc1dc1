// The person's theme, before the first paint. Pages of a signed-in person come with it (data-theme); the door and other
// plain pages use the last one known in this browser. Without a choice the system decides.
(() => {
  const root = document.documentElement;
  root.dataset.js = "";
  const paint = (wanted) => {
    if (wanted === "light" || wanted === "dark") root.dataset.bsTheme = wanted;
    else delete root.dataset.bsTheme;
  };
  const remember = (wanted) => {
    if (wanted) localStorage.setItem("theme", wanted);
    else localStorage.removeItem("theme");
  };
  const remembered = () => localStorage.getItem("theme") ?? "";

  if ("theme" in root.dataset) remember(root.dataset.theme);
  else paint(remembered());
  // Chosen in another window, which has told the server.
  addEventListener("storage", () => paint(remembered()));

  addEventListener("DOMContentLoaded", () => {
    const choice = document.querySelector("[data-theme-choice]");
    if (!choice) return;
    choice.querySelector("button").hidden = true; // each choice is saved at once
    choice.addEventListener("change", ({ target }) => {
      paint(target.value);
      remember(target.value);
    });
  });
})();
