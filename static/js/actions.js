// Asking before something is done, and saying that it was. Every link and form here works without this script too.
(() => {
  const dialog = document.getElementById("dialog");
  const menu = document.getElementById("row-menu");
  const toasts = document.getElementById("toasts");
  let opener = null;
  let actedAt = 0;

  // Who just acted finds what they acted with gone: the page's head has the focus then, not nothing.
  const keepFocus = () => {
    const head = document.querySelector("main h1");
    if (document.activeElement !== document.body || !head) return;
    head.tabIndex = -1;
    head.focus({ preventScroll: true });
  };
  addEventListener("htmx:afterSettle", () => Date.now() < actedAt + 3000 && keepFocus());
  // What an older note offered for the same thing no longer holds. Not before the new one is there: a note that is gone
  // from the page has no place for its answer.
  addEventListener("htmx:afterSettle", () => {
    const notes = [...toasts.querySelectorAll(".note[data-operation]")];
    const last = notes.at(-1)?.dataset.operation;
    for (const note of notes.slice(0, -1)) if (note.dataset.operation === last) note.remove();
  });
  const plain = (event) => event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;

  const ask = async (link, address = link.href) => {
    opener = link.closest("#row-menu") ? document.querySelector(".fleet td:last-child a[aria-expanded=true]") : link;
    if (menu.matches(":popover-open")) menu.hidePopover();
    link.closest("details.menu")?.removeAttribute("open");
    link.setAttribute("aria-busy", "true");
    try {
      await htmx.ajax("GET", address, { target: dialog, swap: "innerHTML" });
    } finally {
      link.removeAttribute("aria-busy");
    }
    if (dialog.querySelector("form") && !dialog.open) dialog.showModal();
    // A long dialog on a small screen begins at its top, wherever its Cancel stands.
    dialog.querySelector("[autofocus]")?.focus({ preventScroll: true });
    arm();
  };

  window.tidepool.ask = ask;

  // The last button of what cannot be taken back waits for the name; the server asks for it as well.
  const arm = () => {
    const form = dialog.querySelector("form[data-typed]");
    if (!form) return;
    const field = form.querySelector("[name=name]");
    const button = form.querySelector("[type=submit]");
    const match = () => button.setAttribute("aria-disabled", String(field.value.trim() !== form.dataset.typed.trim()));
    field.addEventListener("input", match);
    match();
  };

  const openMenu = async (link) => {
    for (const other of document.querySelectorAll(".fleet td:last-child a[aria-expanded]")) other.removeAttribute("aria-expanded");
    await htmx.ajax("GET", link.href, { target: menu, swap: "innerHTML" });
    if (!menu.firstElementChild || !link.isConnected) return;
    link.setAttribute("aria-expanded", "true");
    if (!menu.matches(":popover-open")) menu.showPopover();
    const at = link.getBoundingClientRect();
    const top = at.bottom + menu.offsetHeight + 4 > innerHeight ? Math.max(4, at.top - menu.offsetHeight - 4) : at.bottom + 4;
    menu.style.setProperty("top", `${top}px`);
    menu.style.setProperty("left", `${Math.max(4, Math.min(at.right, innerWidth - 4) - menu.offsetWidth)}px`);
    menu.querySelector("a, button")?.focus();
  };
  menu?.addEventListener("toggle", ({ newState }) => {
    if (newState === "open") return;
    const link = document.querySelector(".fleet td:last-child a[aria-expanded]");
    link?.removeAttribute("aria-expanded");
    if (menu.contains(document.activeElement) || document.activeElement === document.body) link?.focus();
  });

  addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-ask], .fleet td:last-child a");
    if (link && plain(event)) {
      event.preventDefault();
      return void (link.dataset.ask === undefined ? openMenu(link) : ask(link));
    }
    if (event.target.closest?.("[data-close]") && dialog.open) {
      event.preventDefault();
      return dialog.close();
    }
    const button = event.target.closest?.("[aria-disabled=true]");
    if (button) event.preventDefault();
    if (event.target.closest?.("[data-dismiss]")) event.target.closest(".note").remove();
  }, true);

  // Enter confirms nothing that may lose data: the button must be meant.
  addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches?.(".ask-form input") && event.target.form.querySelector(".btn-danger")) event.preventDefault();
  });

  dialog?.addEventListener("close", () => {
    dialog.replaceChildren();
    if (opener?.isConnected) opener.focus();
    opener = null;
    keepFocus();
  });
  addEventListener("htmx:afterSettle", ({ detail }) => detail.target?.closest?.("#dialog") && arm());

  addEventListener("tidepool:acted", ({ detail }) => {
    if (dialog.open) dialog.close();
    if (menu.matches(":popover-open")) menu.hidePopover();
    actedAt = Date.now();
    for (const topic of detail.topics.split(" ")) window.tidepool.readNow(topic);
  });

  // A note goes by itself: after a while, or when its undo time is over. Not while somebody is at it.
  setInterval(() => {
    for (const note of toasts?.children ?? []) {
      note.dataset.shown ??= Date.now();
      const until = note.dataset.until ? Date.parse(note.dataset.until) : Number(note.dataset.shown) + 7000;
      if (Date.now() > until && !note.matches(":hover, :focus-within")) note.remove();
    }
  }, 500);
  // Only when it was answered: what is gone from the page has no place for its answer.
  addEventListener("htmx:afterRequest", ({ detail }) => detail.successful && detail.elt.closest?.(".note")?.remove());
})();
