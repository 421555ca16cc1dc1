// Small conveniences of every page: copy, "/" for the search, filters that keep what is typed, the sides of a menu.
(() => {
  // What a person has opened stays open when its part is read again, and what they have ticked stays ticked: an answer
  // that was asked for before they chose another type must not choose the old one again.
  const chosen = ["bulk", "launch"];
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) =>
    !((name === "open" && node.tagName === "DETAILS") || (name === "checked" && chosen.includes(node.form?.id)));

  const say = (text) => {
    document.getElementById("said").textContent = text;
  };

  // Single keys ("/", "?", "x" …) do something: not while somebody types, not together with Ctrl, ⌘ or Alt, not under a
  // dialog, and not when they are switched off (WCAG 2.1.4). Every script asks here.
  const SILENT = "keys-off";
  const typing = "textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=button], [type=submit])";
  window.tidepool.areKeysOff = () => localStorage.getItem(SILENT) !== null;
  window.tidepool.switchKeys = (on) => (on ? localStorage.removeItem(SILENT) : localStorage.setItem(SILENT, "1"));
  window.tidepool.keysAllowed = (event) =>
    !event.defaultPrevented && !event.isComposing && !event.ctrlKey && !event.metaKey && !event.altKey &&
    !event.target.closest?.(typing) && !document.querySelector("dialog[open]") && !window.tidepool.areKeysOff();

  const copy = async (button) => {
    const source = button.dataset.copy ? document.querySelector(button.dataset.copy) : button;
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
    } catch {
      return say("The browser did not allow copying.");
    }
    say(`Copied ${source.textContent.trim()}`);
    button.classList.add("is-copied");
    setTimeout(() => button.classList.remove("is-copied"), 1200);
  };

  addEventListener("click", (event) => {
    const button = event.target.closest(".copy, [data-copy]");
    if (button) copy(button);
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    const link = event.target.closest(".tools a[href]");
    const search = document.getElementById("q");
    if (link && search) {
      // The address was made before the last letters were typed, and before a click on a column.
      const url = new URL(link.href);
      const sort = document.querySelector("input[name=sort][form=find]");
      for (const [name, value] of [["q", search.value.trim()], ["sort", sort?.value]]) {
        if (value) url.searchParams.set(name, value);
        else url.searchParams.delete(name);
      }
      link.href = url;
    }
  });

  addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    const search = document.getElementById("q");
    if (event.key === "/" && search && window.tidepool.keysAllowed(event)) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  });

  // A request that got no answer, or a broken one, is said; it is made again when the stream is back.
  const trouble = document.getElementById("trouble");
  let failed = null;
  for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    addEventListener(name, ({ detail }) => {
      // What was shown here is not this person's to see any more: the page says so.
      if ([403, 404].includes(detail.xhr?.status) && detail.requestConfig?.triggeringEvent?.type === "refetch") return location.reload();
      failed = detail.elt;
      trouble.hidden = false;
    });
  }
  // What a page asks for by itself is nothing that its person did: it keeps no session alive.
  addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.triggeringEvent?.type === "refetch") detail.headers["X-Background"] = "1";
  });
  addEventListener("htmx:afterOnLoad", ({ detail }) => {
    if (detail.xhr.status < 400) trouble.hidden = true;
  });
  addEventListener("tidepool:open", () => {
    trouble.hidden = true;
    if (failed?.id === "find") htmx.trigger(failed, "submit");
    failed = null;
  });

  // The export is of what the list shows; so is the view that is marked, that can be saved, and that columns are kept for.
  const wanted = (search) => {
    const values = [...new URLSearchParams(search)].filter(([name, value]) => value && name !== "from");
    return values.map((pair) => pair.join("=")).sort().join("&");
  };
  const follow = () => {
    const link = document.getElementById("export");
    const save = document.getElementById("save-view");
    if (!link || !save) return;
    link.search = save.search = location.search;
    const here = wanted(location.search);
    const tabs = [...document.querySelectorAll(".views a[data-view]")];
    const current = tabs.find((tab) => wanted(tab.search) === here);
    for (const tab of tabs) {
      tab.classList.toggle("active", tab === current);
      if (tab === current) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    save.hidden = !here || Boolean(current);
    document.querySelector("#columns [name=view]").value = current?.dataset.view ?? "";
  };
  addEventListener("htmx:afterSettle", follow);

  // A private key is taken out of the field before anything of it can leave this page. The server looks as well.
  const isPrivate = (text) => /PRIVATE KEY-|PuTTY-User-Key-File/i.test(text);
  addEventListener("input", ({ target }) => {
    if (!target.matches?.("textarea[data-public-key]")) return;
    let words = document.getElementById("private-key-said");
    if (!isPrivate(target.value)) return words?.remove();
    target.value = "";
    words ??= Object.assign(document.createElement("p"), { id: "private-key-said", className: "invalid-feedback d-block" });
    words.setAttribute("role", "alert");
    words.textContent = document.body.dataset.privateKey;
    target.after(words);
  });

  // A half-filled form is not left without a question.
  for (const form of document.querySelectorAll("form[data-guard]")) {
    let touched = false;
    form.addEventListener("input", () => (touched = true));
    form.addEventListener("submit", () => (touched = false));
    addEventListener("beforeunload", (event) => touched && event.preventDefault());
  }
})();
