// Makes <time datetime> local and keeps ages current. The server's words stand until then, and without JavaScript.
(() => {
  const steps = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const age = (seconds) => {
    for (const [size, unit] of steps) if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`;
    return "0 s";
  };
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
  const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long" });
  const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
  const minutes = (seconds) => {
    const whole = Math.max(Math.floor(seconds), 0);
    const two = (number) => String(number).padStart(2, "0");
    return whole >= 3600 ? `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}` : `${Math.floor(whole / 60)}:${two(whole % 60)}`;
  };
  const words = {
    left: (at) => minutes(Math.ceil((at - Date.now()) / 1000)),
    span: (at) => minutes((Date.now() - at) / 1000),
    "": (at) => age(Math.max((Date.now() - at) / 1000, 0)),
    ago: (at) => `${age(Math.max((Date.now() - at) / 1000, 0))} ago`,
    clock: (at) => (at.toDateString() === new Date().toDateString() ? clock.format(at) : `${day.format(at)}, ${clock.format(at)}`),
    day: (at) => weekday.format(at),
    exact: (at) => exact.format(at),
  };
  const draw = (root) => {
    for (const element of root.querySelectorAll("time[datetime]")) {
      const text = words[element.dataset.as ?? ""](new Date(element.dateTime));
      if (element.textContent !== text) element.textContent = text;
    }
  };
  // The exact time on hover, made when it is asked for: a list has fifty of them.
  addEventListener("mouseover", ({ target }) => {
    if (target.tagName === "TIME" && !target.title) target.title = exact.format(new Date(target.dateTime));
  });
  addEventListener("htmx:afterSwap", () => draw(document));
  setInterval(() => document.hidden || draw(document), 1000);
  draw(document);
  window.tidepool = { drawTimes: draw };
})();
