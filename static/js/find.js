// Find or do (Ctrl/⌘ K) and the help of the keys (?).
(() => {
  const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
  const palette = document.getElementById("palette");
  const field = document.getElementById("palette-q");
  const found = document.getElementById("found");
  const said = document.getElementById("found-said");
  const dialog = document.getElementById("dialog");
  const options = () => [...found.querySelectorAll("[role=option]")];
  const chosen = () => found.querySelector("[aria-selected=true]");
  let isFresh = false; // the options are those of what stands in the field
  let isWaiting = false; // Enter was pressed before they came

  if (isMac) for (const key of document.querySelectorAll(".find kbd")) key.textContent = "⌘ K";

  const mark = (option) => {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) field.setAttribute("aria-activedescendant", option.id);
    else field.removeAttribute("aria-activedescendant");
  };

  // How many fit is for those who hear the page; that nothing does is for everybody.
  const tell = (words, isHeard) => {
    said.textContent = words;
    said.classList.toggle("visually-hidden", isHeard);
  };

  const ask = () => {
    isFresh = false;
    htmx.trigger(field, "palette");
  };

  const open = () => {
    if (document.querySelector("dialog[open]")) return;
    const side = document.getElementById("side");
    if (side.matches(":popover-open")) side.hidePopover(); // gives the focus back to its button, to which it returns
    field.value = "";
    isWaiting = false;
    found.replaceChildren(); // what was found before would stand there for a moment, and take the focus back
    mark();
    palette.showModal();
    ask();
  };

  const step = (by) => {
    const all = options();
    if (all.length) mark(all[(all.indexOf(chosen()) + by + all.length) % all.length]);
  };

  const choose = () => {
    isWaiting = !isFresh;
    if (isFresh) chosen()?.click();
    else ask();
  };

  // "→" behind the last letter takes up the machine's name: its actions stand below it then.
  const fill = (event) => {
    const name = chosen()?.dataset.fills;
    if (!name || field.selectionStart !== field.value.length) return;
    event.preventDefault();
    field.value = `${name} `;
    ask();
  };

  const typed = (event) => {
    if (event.isComposing) return;
    const does = { ArrowDown: () => step(1), ArrowUp: () => step(-1), Enter: choose }[event.key];
    if (does) {
      event.preventDefault();
      does();
    }
    if (event.key === "ArrowRight") fill(event);
  };

  const help = () => {
    const before = document.activeElement;
    document.querySelector(".side a[data-keys]").click();
    dialog.addEventListener("close", () => before?.focus(), { once: true });
  };

  addEventListener("keydown", (event) => {
    if (event.key?.toLowerCase() === "k" && (isMac ? event.metaKey : event.ctrlKey) && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      if (palette.open) palette.close();
      else open();
    } else if (event.target === field) typed(event);
    else if (event.key === "?" && window.tidepool.keysAllowed(event)) {
      event.preventDefault();
      help();
    }
  });

  addEventListener("input", ({ target }) => {
    if (target === field) isFresh = isWaiting = false;
  });

  addEventListener("mousemove", ({ target }) => {
    const option = target.closest?.("#found [role=option]");
    if (option && option !== chosen()) mark(option);
  });

  // Links are links. What asks first is fetched by actions.js, which has seen this click before.
  addEventListener("click", (event) => {
    const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (event.target.closest?.(".find") && isPlain) {
      event.preventDefault();
      return open();
    }
    const isBeside = event.target === palette;
    if (isBeside || (isPlain && event.target.closest?.("#palette a"))) palette.close();
  });

  addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target === dialog) settle();
    if (detail.target !== found) return;
    isFresh = detail.requestConfig.parameters.q === field.value;
    mark(options()[0]);
    tell(found.firstElementChild.dataset.said, options().length > 0);
    if (isWaiting && isFresh) choose();
  });
  for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    addEventListener(name, ({ detail }) => {
      if (detail.elt !== field) return;
      isWaiting = false;
      found.replaceChildren();
      tell(said.dataset.trouble, false);
    });
  }

  // The help tells the keys of the page that it is opened on, and switches the single ones off.
  const settle = () => {
    for (const part of dialog.querySelectorAll("[data-where]")) part.hidden = !document.querySelector(part.dataset.where);
    for (const label of document.querySelectorAll("[data-keys-switch]")) {
      label.hidden = false;
      label.querySelector("input").checked = !window.tidepool.areKeysOff();
    }
  };
  addEventListener("change", ({ target }) => {
    if (target.closest?.("[data-keys-switch]")) window.tidepool.switchKeys(target.checked);
  });
  settle();
})();
