// Acknowledgements by hour, as bars from the data in the page; drawn anew when the colours change.
"use strict";

(() => {
  const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;

  // Custom properties hold light-dark(); only a computed colour is one that a canvas understands.
  const colour = (name) => {
    const probe = document.createElement("span");
    probe.className = `ink ${name}`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };

  const hours = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
  const days = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
  const label = (at) => {
    const date = new Date(at * 1000);
    return date.getHours() === 0 ? days.format(date) : hours.format(date);
  };

  const draw = (holder) => {
    const data = JSON.parse(document.getElementById(holder.dataset.activity).textContent);
    const [good, bad, soft, line] = ["good", "bad", "soft", "line"].map(colour);
    const axis = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    const bars = uPlot.paths.bars({ size: [0.8, 24], align: 1 });
    const all = data.valid.map((count, i) => count + data.invalid[i]);
    const series = (name, ink) => ({ label: name, stroke: ink, fill: ink, width: 0, paths: bars, points: { show: false } });
    holder.replaceChildren();
    return new uPlot({
      width: holder.clientWidth,
      height: holder.clientHeight,
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { range: (_, from, to) => [from, to + 3600] },
        y: { range: (_, low, high) => [0, Math.max(4, Math.ceil(high * 1.1))] },
      },
      axes: [
        { ...axis, values: (_, splits) => splits.map(label), grid: { show: false }, space: 70 },
        { ...axis, size: 44, space: 24, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000] },
      ],
      // The whole first and what is valid over it: so what remains to be seen of the whole is invalid.
      series: [{}, series("invalid", bad), series("valid", good)],
    }, [data.hours, all, data.valid], holder);
  };

  const plots = new Map();
  const all = () => document.querySelectorAll("[data-activity]").forEach((holder) => {
    plots.get(holder)?.destroy();
    plots.set(holder, draw(holder));
  });
  all();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  const watcher = new ResizeObserver((entries) => {
    for (const { target } of entries) plots.get(target)?.setSize({ width: target.clientWidth, height: target.clientHeight });
  });
  plots.forEach((_, holder) => watcher.observe(holder));
})();
