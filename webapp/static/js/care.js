// Forms of the wards: Enter goes to the next field, the panel of the search closes with Escape.
"use strict";

document.addEventListener("keydown", (event) => {
  const form = event.target.closest("form[data-next]");
  if (event.key !== "Enter" || !form || !event.target.matches("input:not([type=checkbox], [type=radio])")) return;
  event.preventDefault();
  if (event.ctrlKey || event.metaKey) return form.requestSubmit();
  const stops = [...form.querySelectorAll("input:not([type=hidden], [type=radio]), select, textarea, .actions button")];
  stops.slice(stops.indexOf(event.target) + 1)[0]?.focus();
});

document.addEventListener("keydown", (event) => {
  const search = event.target.closest("search");
  const panel = search?.querySelector("[data-panel]");
  if (event.key !== "Escape" || !panel) return;
  panel.replaceChildren();
  search.querySelector("input[type=search]").focus();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("search")) return;
  for (const panel of document.querySelectorAll("[data-panel]")) panel.replaceChildren();
});
