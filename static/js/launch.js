// The button names the machine, and a form is sent once: pressed twice, it is the same launch anyway.
(() => {
  const form = document.getElementById("launch");
  if (!form) return;
  const name = form.elements.name;
  const draw = () => {
    const button = form.querySelector("[data-launch]");
    const words = `${button.dataset.launch} ${name.value.trim()}`.trim();
    if (button.textContent !== words) button.textContent = words;
    // Fixed while it is typed: what the server said of the old name no longer holds.
    name.classList.toggle("is-invalid", Boolean(document.querySelector("#name-said.invalid-feedback")));
  };
  form.addEventListener("input", draw);
  addEventListener("htmx:afterSettle", draw);
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    form.querySelector("[data-launch]").setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", () => delete form.dataset.sent);
  draw();
  // The first field to be mended, else the sentence that says that there is one.
  (form.querySelector("[aria-invalid=true]") ?? document.getElementById("wrong"))?.focus();
})();
