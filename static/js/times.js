// Shows <time datetime> in the person's zone and keeps ages current. The server's words stand until then, and without JavaScript.
(() => {
  const steps = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const age = (seconds) => {
    for (const [size, unit] of steps) if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`;
    return "0 s";
  };
  // The person's own zone; without one the browser's. One that this browser does not know is shown as UTC, as the
  // server does.
  const zone = (() => {
    const wanted = document.documentElement.dataset.zone || undefined;
    try {
      return new Intl.DateTimeFormat("en-GB", { timeZone: wanted }).resolvedOptions().timeZone;
    } catch {
      return "UTC";
    }
  })();
  const format = (parts) => new Intl.DateTimeFormat("en-GB", { ...parts, timeZone: zone });
  const clock = format({ hour: "2-digit", minute: "2-digit" });
  const day = format({ day: "numeric", month: "short" });
  const date = format({ dateStyle: "short" });
  const weekday = format({ weekday: "long", day: "numeric", month: "long" });
  const exact = format({ dateStyle: "medium", timeStyle: "short" });
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
    clock: (at) => (date.format(at) === date.format(new Date()) ? clock.format(at) : `${day.format(at)}, ${clock.format(at)}`),
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
  window.tidepool = { drawTimes: draw, clock };
})();
