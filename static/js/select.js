// The list by keyboard, and choosing machines: with the mouse, in ranges, or by keys alone. The boxes and their form work
// without this script too.
(() => {
  const rows = () => [...document.querySelectorAll("#fleet tbody tr")];
  const boxes = () => [...document.querySelectorAll("#fleet tbody input[name=m]")];

  // --- moving ---
  const move = (row, by) => {
    const all = rows();
    const at = row ? all.indexOf(row) + by : by > 0 ? 0 : all.length - 1;
    all[at]?.querySelector("th a")?.focus();
  };

  // --- choosing: what is chosen is kept here by id, for rows come and go while one looks ---
  const form = document.getElementById("bulk");
  const bar = form?.querySelector(".bulk");
  const chosen = new Set(boxes().filter((box) => box.checked).map((box) => box.value)); // a reload may keep the ticks
  const all = form?.elements.all;
  const more = document.getElementById("bulk-more");
  let last = null; // where a range begins
  let here = location.search;

  const draw = () => {
    if (!form) return;
    const shown = boxes();
    for (const box of shown) box.checked = all.checked || chosen.has(box.value);
    const ticked = shown.filter((box) => box.checked).length;
    const head = document.getElementById("all-here");
    if (head) {
      head.checked = ticked > 0 && ticked === shown.length;
      head.indeterminate = ticked > 0 && ticked < shown.length;
    }
    const words = all.checked ? bar.dataset.all : bar.dataset.chosen.replace("#", chosen.size);
    const count = document.getElementById("bulk-count");
    if (count.textContent !== words) count.textContent = words;
    bar.classList.toggle("is-on", all.checked || chosen.size > 0);
    all.parentElement.hidden = !all.checked && !document.querySelector("#fleet .pager a"); // more than this page shows
  };

  const clear = () => {
    chosen.clear();
    last = null;
    if (form) all.checked = false;
    draw();
  };

  const choose = (some, is) => {
    if (!is && all.checked) for (const box of boxes()) chosen.add(box.value);
    if (!is) all.checked = false;
    for (const box of some) is ? chosen.add(box.value) : chosen.delete(box.value);
    draw();
  };

  const chooseTo = (box, is, isRange) => {
    const shown = boxes();
    const from = isRange ? shown.findIndex((one) => one.value === last) : -1;
    const to = shown.indexOf(box);
    choose(from < 0 ? [box] : shown.slice(Math.min(from, to), Math.max(from, to) + 1), is);
    last = box.value;
  };

  addEventListener("click", (event) => {
    const box = event.target.closest?.("#fleet tbody input[name=m]");
    if (box) chooseTo(box, box.checked, event.shiftKey);
    if (event.target.id === "all-here") choose(boxes(), event.target.checked);
  });
  all?.addEventListener("change", () => (all.checked ? draw() : clear()));
  form?.addEventListener("reset", () => setTimeout(clear));

  // --- asking ---
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const address = new URL(event.submitter.formAction);
    if (all.checked) address.search = new URLSearchParams([...new FormData(form)].filter(([name]) => name !== "m"));
    else for (const id of chosen) address.searchParams.append("m", id);
    const button = more?.contains(event.submitter) ? document.getElementById("bulk-more-button") : event.submitter;
    if (more?.matches(":popover-open")) more.hidePopover();
    window.tidepool.ask(button, address.href);
  });
  more?.addEventListener("toggle", ({ newState }) => {
    if (newState !== "open") return;
    const at = bar.getBoundingClientRect();
    const button = document.getElementById("bulk-more-button").getBoundingClientRect();
    more.style.setProperty("top", `${Math.max(4, at.top - more.offsetHeight - 4)}px`);
    more.style.setProperty("left", `${Math.max(4, Math.min(button.left, innerWidth - more.offsetWidth - 4))}px`);
    more.querySelector("button").focus();
  });

  // --- keys ---
  const isElsewhere = (target) =>
    target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable], dialog, :popover-open, details[open]");

  const press = (event, row) => {
    const box = row?.querySelector("input[name=m]");
    switch (event.key) {
      case "j":
        return move(row, 1);
      case "k":
        return move(row, -1);
      case "ArrowDown":
        return row ? move(row, 1) : false;
      case "ArrowUp":
        return row ? move(row, -1) : false;
      case "x":
      case "X":
        return box && form ? chooseTo(box, event.shiftKey || !box.checked, event.shiftKey) : false;
      case "a": // fifty rows lie between a row and the bar
        return bar?.classList.contains("is-on") ? bar.querySelector("[formaction]").focus() : false;
      case "Enter":
        return event.target === box ? row.querySelector("th a").click() : false; // on a box it would send the form
      case "Escape":
        return bar?.classList.contains("is-on") ? clear() : false;
      default:
        return false;
    }
  };

  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isElsewhere(event.target)) return;
    if (document.querySelector("dialog[open], :popover-open")) return;
    if (event.key?.length === 1 && !window.tidepool.keysAllowed(event)) return; // single keys can be switched off
    const row = event.target.closest?.("#fleet tbody tr");
    if (press(event, row) !== false) event.preventDefault();
  });

  // What was read again keeps its ticks; another page, search or filter begins anew.
  addEventListener("htmx:afterSettle", () => {
    if (location.search === here) return draw();
    here = location.search;
    clear();
  });
  addEventListener("pageshow", draw);
  draw();
})();
