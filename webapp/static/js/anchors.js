// How many entries the chain stands for, over time: a step at every anchor.

import { axis, colour, language, plotAll } from "./plots.js";

const hours = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
const days = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
const DAY = 86_400;

plotAll("anchors", (data) => {
  const isLong = data.times.at(-1) - data.times[0] > 2 * DAY;
  const label = (at) => (isLong ? days : hours).format(new Date(at * 1000));
  return {
    options: {
      cursor: { show: false },
      scales: { y: { range: (_, low, high) => [0, Math.max(4, Math.ceil(high * 1.1))] } },
      axes: [
        { ...axis(), values: (_, splits) => splits.map(label), grid: { show: false }, space: 70 },
        { ...axis(), size: 52, space: 28, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 5e4, 1e5, 1e6] },
      ],
      series: [
        {},
        {
          stroke: colour("good"),
          width: 2,
          paths: uPlot.paths.stepped({ align: 1 }),
          points: { show: true, size: 6, fill: colour("good") },
        },
      ],
    },
    columns: [data.times, data.sizes],
  };
});
