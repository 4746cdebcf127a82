// What every page can do: copy a hash, lead the reader to what is wrong, find the search by "/", send a form once.
"use strict";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), 1500);
});

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
  const search = document.querySelector("[data-search]");
  if (event.key === "/" && !isTyping && search) {
    event.preventDefault();
    search.focus();
  }
});

document.addEventListener("submit", (event) => {
  // A second click on a slow line is not a second wish.
  const form = event.target;
  if (form.dataset.sent) event.preventDefault();
  else if (form.method === "post") form.dataset.sent = "yes";
});

window.addEventListener("pageshow", (event) => {
  // A page that comes back out of the browser's memory may show what its reader may no longer see.
  if (event.persisted) location.reload();
});

document.querySelector("[data-focus]")?.focus();

// On a phone the places go beyond the edge: the one that is shown comes into sight.
document.querySelector(".places [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
