// Live charts of one machine: the last hour from the panel's readings, then each new one as it comes.
(() => {
  const card = document.getElementById("load");
  if (!card) return;
  const HOUR = 3600;
  const root = document.documentElement;
  const token = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  // light-dark() is not resolved in a token: a probe element resolves it as CSS does.
  const probe = document.createElement("span");
  probe.hidden = true;
  card.append(probe);
  const colour = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const number = (value, digits = 0) => value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const sized = (value, units, base) => {
    let step = 0;
    while (value >= base && step < units.length - 1) (value /= base), step++;
    return `${number(value, value < 10 && step ? 1 : 0)} ${units[step]}`;
  };
  const rate = (value) => (value == null ? "–" : sized(value, ["B/s", "kB/s", "MB/s", "GB/s"], 1000));
  const memory = (value) => (value == null ? "–" : sized(value, ["B", "KiB", "MiB", "GiB", "TiB"], 1024));
  const bold = (text) => Object.assign(document.createElement("b"), { textContent: text });

  const plots = {
    cpu: {
      series: ["cpu_percent"], range: () => [0, 100], tick: (value) => `${value} %`,
      now: (last) => [bold(last.cpu_percent == null ? "–" : `${number(last.cpu_percent)} %`), card.dataset.cores ? ` of ${card.dataset.cores} cores` : ""],
    },
    memory: {
      series: ["memory_used"], range: (last) => [0, last?.memory_total || 2 ** 30], tick: (value) => (value ? memory(value) : "0"),
      splits: (last) => [0, (last?.memory_total || 2 ** 30) / 2, last?.memory_total || 2 ** 30],
      now: (last) => [bold(memory(last.memory_used)), last.memory_total ? ` of ${memory(last.memory_total)}` : ""],
    },
    disk: { series: ["disk_read", "disk_write"], names: ["read", "write"], tick: (value) => (value ? rate(value) : "0") },
    network: { series: ["net_in", "net_out"], names: ["in", "out"], tick: (value) => (value ? rate(value) : "0") },
  };
  const rows = [];

  const heading = (plot, last) => {
    if (plot.now) return plot.now(last);
    return plot.series.map((key, index) => {
      const span = Object.assign(document.createElement("span"), { className: `key c${index + 1}` });
      span.append(`${plot.names[index]} `, bold(rate(last[key])));
      return span;
    });
  };

  // Nobody looked for a while: nothing was read, and nothing is drawn.
  const GAP = 60;
  const withGaps = () =>
    rows.flatMap((row, index) => (index && row.at - rows[index - 1].at > GAP ? [{ at: (row.at + rows[index - 1].at) / 2 }, row] : [row]));
  const data = (plot) => {
    const shown = withGaps();
    return [shown.map((row) => row.at), ...plot.series.map((key) => shown.map((row) => row[key] ?? null))];
  };
  const top = (plot) => {
    const most = Math.max(0, ...plot.series.flatMap((key) => rows.map((row) => row[key] ?? 0)));
    return [0, most ? most * 1.15 : 1000];
  };

  // The last hour, or what there is of it: a page that was just opened shows minutes, not an empty hour.
  const span = (now) => [Math.max(now - HOUR, Math.min(rows[0]?.at ?? now, now - 300)), now];

  const build = (figure, plot) => {
    const box = figure.querySelector(".canvas");
    const ink = colour("--tp-ink-2"), line = colour("--tp-line");
    const axis = { stroke: ink, font: `11px ${token("--tblr-font-sans-serif")}`, grid: { stroke: line, width: 1 }, ticks: { show: false } };
    const options = {
      width: box.clientWidth || 300, height: 132, legend: { show: false }, cursor: { show: false }, padding: [8, 8, 0, 0],
      scales: {
        x: { range: () => span(Date.now() / 1000) },
        y: { range: () => (plot.range ? plot.range(rows.at(-1)) : top(plot)) },
      },
      axes: [
        { ...axis, size: 22, gap: 4, space: 80, grid: { show: false }, values: (_, splits) => splits.map((at) => window.tidepool.clock.format(at * 1000)) },
        { ...axis, size: 64, space: 40, splits: plot.splits && (() => plot.splits(rows.at(-1))), values: (_, splits) => splits.map((value) => (rows.length ? plot.tick(value) : "")) },
      ],
      series: [{}, ...plot.series.map((key, index) => ({ stroke: colour(`--tp-c${index + 1}`), width: 1.5, spanGaps: false, paths: uPlot.paths.linear(), points: { size: 5 }, fill: plot.series.length === 1 ? `${colour("--tp-c1").replace(")", " / 10%)").replace("rgb(", "rgb(").replaceAll(",", "")}` : undefined }))],
    };
    box.replaceChildren();
    return new uPlot(options, data(plot), box);
  };

  let drawn = [];
  const draw = () => {
    drawn = [...card.querySelectorAll("[data-plot]")].map((figure) => {
      const plot = plots[figure.dataset.plot];
      return { figure, plot, chart: build(figure, plot) };
    });
    update();
  };
  const update = () => {
    const last = rows.at(-1);
    for (const { figure, plot, chart } of drawn) {
      chart.setData(data(plot));
      if (last) figure.querySelector("[data-now]").replaceChildren(...heading(plot, last));
    }
    if (!last) return;
    const label = document.getElementById("load-fresh");
    label.className = "fresh st st-run";
    const time = Object.assign(document.createElement("time"), { dateTime: new Date(last.at * 1000).toISOString() });
    time.dataset.as = "ago";
    const words = document.createElement("span");
    words.append("Read ", time);
    label.replaceChildren(words);
    window.tidepool.drawTimes(label);
  };
  const add = (point) => {
    if (rows.length && point.at <= rows.at(-1).at) return;
    rows.push(point);
    while (rows.length && rows[0].at < point.at - HOUR) rows.shift();
  };
  const load = async () => {
    const answer = await fetch(card.dataset.readings, { headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) return;
    rows.length = 0;
    (await answer.json()).forEach(add);
    update();
  };

  addEventListener("tidepool:point", ({ detail }) => (add(detail), update()));
  addEventListener("visibilitychange", () => document.hidden || load());
  const fit = () => drawn.forEach(({ figure, chart }) => chart.setSize({ width: figure.querySelector(".canvas").clientWidth || 300, height: 132 }));
  new ResizeObserver(fit).observe(card);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
  load();
})();
