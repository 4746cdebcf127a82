// How many entries the chain stands for, over time: a step at every anchor.

import { axis, colour, language, plotAll } from "./plots.js";

const hours = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
const days = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
const seconds = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const HOUR = 3_600;

plotAll("anchors", (data) => {
  const span = data.times.at(-1) - data.times[0];
  const format = span > 48 * HOUR ? days : span > HOUR / 4 ? hours : seconds;
  const label = (at) => format.format(new Date(at * 1000));
  return {
    options: {
      cursor: { show: false },
      scales: { y: { range: (_, low, high) => [0, Math.max(4, Math.ceil(high * 1.1))] } },
      axes: [
        { ...axis(), values: (_, splits) => splits.map(label), grid: { show: false }, space: 80 },
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
