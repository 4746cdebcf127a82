// Acknowledgements by hour, as bars from the data in the page.

import { axis, colour, language, plotAll } from "./plots.js";

const hours = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
const days = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
const label = (at) => {
  const date = new Date(at * 1000);
  return date.getHours() === 0 ? days.format(date) : hours.format(date);
};

plotAll("activity", (data) => {
  const bars = uPlot.paths.bars({ size: [0.8, 24], align: 1 });
  const series = (name, ink) => ({ label: name, stroke: ink, fill: ink, width: 0, paths: bars, points: { show: false } });
  const all = data.valid.map((count, i) => count + data.invalid[i]);
  return {
    options: {
      cursor: { show: false },
      scales: {
        x: { range: (_, from, to) => [from, to + 3600] },
        y: { range: (_, low, high) => [0, Math.max(4, Math.ceil(high * 1.1))] },
      },
      axes: [
        { ...axis(), values: (_, splits) => splits.map(label), grid: { show: false }, space: 70 },
        { ...axis(), size: 44, space: 24, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000] },
      ],
      // The whole first and what is valid over it: so what remains to be seen of the whole is invalid.
      series: [{}, series("invalid", colour("bad")), series("valid", colour("good"))],
    },
    columns: [data.hours, all, data.valid],
  };
});
