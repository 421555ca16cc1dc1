// Changes come to an open page by themselves: one stream of server-sent events, closed while the page is hidden.
//
// A browser opens six connections to a host, and eight windows side by side would starve the eighth. So four streams a
// browser: a page takes one of four places (Web Locks) and, when none is free, reads its parts again every few seconds.
// The stream has no replay: after every gap each part that is alive ([data-live]) is read again.
(() => {
  const topics = document.body.dataset.topics ?? "";
  let source = null;
  let isFirst = true;
  let retry = 0;
  let isOpening = false;
  let leave = null; // gives the place back
  let timer = 0;
  const PLACES = 4;
  const READ_MS = 5000;

  const parts = (topic) =>
    [...document.querySelectorAll("[data-live]")].filter((part) => topic === "all" || part.dataset.live.split(" ").includes(topic));

  // A short random wait: many open pages do not ask in the same moment.
  const waiting = new WeakSet();
  const readAgain = (topic, most) => {
    for (const part of parts(topic)) {
      if (waiting.has(part)) continue;
      waiting.add(part);
      setTimeout(() => {
        waiting.delete(part);
        if (part.isConnected) htmx.trigger(part, "refetch");
      }, Math.random() * most);
    }
  };

  // What somebody just did here is read again at once.
  window.tidepool.readNow = (topic) => parts(topic).forEach((part) => htmx.trigger(part, "refetch"));

  // Elements of the event replace those of the page that bear the same id; the others are for other pages.
  const swap = (html) => {
    const box = document.createElement("template");
    box.innerHTML = html;
    for (const fresh of [...box.content.children]) {
      const old = document.getElementById(fresh.id);
      if (!old) continue;
      Idiomorph.morph(old, fresh.cloneNode(true));
      const now = document.getElementById(fresh.id);
      window.tidepool.drawTimes(now);
      mark(now);
    }
  };

  const mark = (element) => {
    element.classList.remove("is-new");
    void element.offsetWidth; // starts the animation anew
    element.classList.add("is-new");
    setTimeout(() => element.classList.remove("is-new"), 2600);
  };

  const freshen = (text) => {
    const [account, at] = text.split(" ");
    const label = document.getElementById("fresh");
    if (!label) return;
    const time = label.querySelector("time");
    if (!time) return location.reload(); // the very first reading: counts, filters and all the rest begin with it
    if (label.dataset.account !== account) return;
    time.dateTime = at;
    time.removeAttribute("title");
    window.tidepool.drawTimes(label);
  };

  // Green only when both hold: news come, and the provider's own are fresh (the banners know).
  let isLive = null;
  const showLive = (is) => {
    isLive = is;
    const label = document.getElementById("fresh");
    if (!label?.querySelector("time")) return; // nothing was read yet: the server's words stand
    const isWell = is && !document.getElementById("banners")?.dataset.doubt;
    const word = label.querySelector(".live-word");
    if (word) word.textContent = isWell ? "Live," : is ? "Last known," : "Not live,";
    label.classList.toggle("st-run", isWell);
    label.classList.toggle("st-unknown", !isWell);
  };
  addEventListener("htmx:afterSettle", () => isLive !== null && showLive(isLive));

  const take = (name) =>
    new Promise((resolve) => {
      const held = (lock) => (lock ? new Promise((release) => resolve(release)) : resolve(null));
      navigator.locks.request(name, { ifAvailable: true }, held).catch(() => resolve(null));
    });

  const takePlace = async () => {
    if (!navigator.locks) return () => {};
    for (let number = 1; number <= PLACES; number++) {
      const release = await take(`tidepool-live-${number}`);
      if (release) return release;
    }
    return null;
  };

  const again = (ms) => {
    clearTimeout(timer);
    timer = setTimeout(open, ms);
  };

  const open = async () => {
    if (source || isOpening || document.hidden) return;
    isOpening = true;
    leave = await takePlace();
    isOpening = false;
    if (document.hidden) return close();
    if (leave) return listen();
    readAgain("all", 300);
    again(READ_MS);
  };

  const listen = () => {
    // The first time the server knows what changed since this page was drawn; later it is simply read again.
    const since = isFirst ? `&since=${document.body.dataset.drawnAt}` : "";
    source = new EventSource(`/live?topics=${encodeURIComponent(topics)}${since}`);
    source.addEventListener("open", () => {
      retry = 0;
      showLive(true);
      if (!isFirst) readAgain("all", 300);
      isFirst = false;
      dispatchEvent(new Event("tidepool:open"));
    });
    source.addEventListener("html", ({ data }) => swap(data));
    source.addEventListener("changed", ({ data }) => readAgain(data, 1200));
    source.addEventListener("fresh", ({ data }) => freshen(data));
    source.addEventListener("live", ({ data }) => showLive(data === "on"));
    source.addEventListener("point", ({ data }) => dispatchEvent(new CustomEvent("tidepool:point", { detail: JSON.parse(data) })));
    source.addEventListener("goodbye", () => setTimeout(() => location.reload(), isLeaving() ? LEAVING_MS : 0));
    source.addEventListener("error", () => {
      showLive(false);
      close();
      // Our own pause: a browser gives up for good after an answer that is not a stream.
      retry = Math.min(retry + 1, 6);
      again(500 * 2 ** retry * (0.5 + Math.random()));
    });
  };

  // A form that was just sent leads to another page: to read this one again would call that off. A download begins in
  // the same way and leads nowhere, so a while later it is read again after all.
  const LEAVING_MS = 8000;
  let leftAt = -LEAVING_MS;
  const isLeaving = () => performance.now() - leftAt < LEAVING_MS;
  addEventListener("beforeunload", () => (leftAt = performance.now()));

  const close = () => {
    clearTimeout(timer);
    source?.close();
    source = null;
    leave?.();
    leave = null;
  };

  addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);

  // A list that was read again says which rows are new or different, as a pushed row does.
  let before = new Map();
  addEventListener("htmx:beforeSwap", ({ detail }) => {
    const rows = detail.requestConfig?.triggeringEvent?.type === "refetch" ? detail.target.querySelectorAll("tbody tr[id]") : [];
    before = new Map([...rows].map((row) => [row.id, row.textContent]));
  });
  addEventListener("htmx:afterSettle", () => {
    if (!before.size) return;
    for (const row of document.querySelectorAll("tbody tr[id]")) if (before.get(row.id) === undefined) mark(row);
    before = new Map();
  });
  open();
})();
