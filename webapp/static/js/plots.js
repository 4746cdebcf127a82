// What every chart shares: colours of the page, its language, drawing anew when colours or sizes change.

export const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;

// Custom properties hold light-dark(); only a computed colour is one that a canvas understands.
export const colour = (name) => {
  const probe = document.createElement("span");
  probe.className = `ink ${name}`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
};

export const axis = () => ({
  stroke: colour("soft"),
  grid: { stroke: colour("line"), width: 1 },
  ticks: { show: false },
  font: "12px system-ui, sans-serif",
});

// `name` is the data attribute of the holders, which says where in the page the data is.
export const plotAll = (name, draw) => {
  const plots = new Map();
  const all = () => document.querySelectorAll(`[data-${name}]`).forEach((holder) => {
    plots.get(holder)?.destroy();
    holder.replaceChildren();
    const data = JSON.parse(document.getElementById(holder.dataset[name]).textContent);
    const { options, columns } = draw(data, holder);
    const size = { width: holder.clientWidth, height: holder.clientHeight };
    plots.set(holder, new uPlot({ ...size, legend: { show: false }, ...options }, columns, holder));
  });
  all();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  const watcher = new ResizeObserver((entries) => {
    for (const { target } of entries) plots.get(target)?.setSize({ width: target.clientWidth, height: target.clientHeight });
  });
  plots.forEach((_, holder) => watcher.observe(holder));
};
