// Trends of vital signs, drawn from the data in the page.

import { axis, colour, language, plotAll } from "./plots.js";

const faded = (ink, alpha) => ink.replace(/^rgb\((.*)\)$/, `rgb($1 / ${alpha})`).replaceAll(",", "");

const moments = (zone) => {
  const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone: zone });
  const year = new Intl.DateTimeFormat(language, { month: "short", year: "numeric", timeZone: zone });
  const hour = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", timeZone: zone });
  return {
    ticks: (_, splits, __, ___, step) => {
      let before = "";
      return splits.map((at) => {
        const date = new Date(at * 1000);
        if (step >= 2419200) return year.format(date);
        const today = day.format(date);
        if (step >= 86400) return today;
        const text = today === before ? hour.format(date) : `${hour.format(date)}\n${today}`;
        before = today;
        return text;
      });
    },
    whole: (at) => `${day.format(new Date(at * 1000))}, ${hour.format(new Date(at * 1000))}`,
  };
};

const timeRange = (at) => () => {
  const [from, to] = [at[0], at.at(-1)];
  const room = to > from ? (to - from) * 0.04 : 43200;
  return [from - room, to + room];
};

const valueRange = (lines) => (_, from, to) => {
  const limits = lines.flatMap((line) => [line.low, line.high]).filter((limit) => limit !== null);
  const [low, high] = [Math.min(from, ...limits), Math.max(to, ...limits)];
  const room = Math.max((high - low) * 0.12, 0.5);
  return [low - room, high + room];
};

const band = (plot, line, fill) => {
  if (line.low === null || line.high === null) return;
  const [top, bottom] = [plot.valToPos(line.high, "y", true), plot.valToPos(line.low, "y", true)];
  plot.ctx.fillStyle = fill;
  plot.ctx.fillRect(plot.bbox.left, top, plot.bbox.width, bottom - top);
};

const reading = (holder, data, moment) => (plot) => {
  const i = plot.cursor.idx;
  const text = i === null || i === undefined
    ? ""
    : `${moment(data.at[i])} – ${data.lines.map((line) => line.values[i]).join("/")} ${data.unit}`;
  holder.closest("figure").querySelector(".reading").textContent = text;
};

plotAll("trend", (data, holder) => {
  const time = moments(data.zone);
  const inks = ["series-1", "series-2"].map(colour);
  const ground = colour("surface");
  return {
    options: {
      cursor: { y: false, drag: { x: false, y: false } },
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), data.zone),
      scales: { x: { range: timeRange(data.at) }, y: { range: valueRange(data.lines) } },
      axes: [
        { ...axis(), values: time.ticks, size: (_, texts) => (texts?.some((text) => text.includes("\n")) ? 46 : 32), space: 70, grid: { show: false } },
        { ...axis(), size: 44 },
      ],
      series: [{}, ...data.lines.map((each, i) => ({
        label: each.name, stroke: inks[i], width: 2, dash: i ? [6, 3] : undefined,
        points: { show: true, size: 7, fill: i ? ground : inks[i], stroke: inks[i] },
      }))],
      hooks: {
        drawClear: [(plot) => data.lines.forEach((each, i) => band(plot, each, faded(inks[i], 0.13)))],
        setCursor: [reading(holder, data, time.whole)],
      },
    },
    columns: [data.at, ...data.lines.map((each) => each.values)],
  };
});
