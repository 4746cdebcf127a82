// Locks a workstation at which nobody is, and tells the server of those who read or type. Alt+L locks at once.
"use strict";

(() => {
  const LIMIT = Number(document.querySelector("meta[name=idle-limit]").content) * 1000;
  const EVERY = Math.min(60_000, LIMIT / 3);
  const WARNING = Math.min(60_000, LIMIT / 3);
  const KEY = "handshaker-active";
  const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  const warning = document.getElementById("idle-warning");
  let last = Date.now();
  let told = Date.now();

  // Other tabs of the same person keep this one open too; where nothing may be kept, each tab counts for itself.
  const shared = () => {
    try { return Number(localStorage.getItem(KEY)) || 0; } catch { return 0; }
  };
  const share = () => {
    try { localStorage.setItem(KEY, String(last)); } catch { /* private browsing */ }
  };
  const send = (address) => fetch(address, { method: "POST", headers: { "X-CSRFToken": token }, redirect: "manual" });
  const toLock = () => location.assign("/unlock?next=" + encodeURIComponent(location.pathname + location.search));

  const tell = async () => {
    told = Date.now();
    try {
      const answer = await send("/session/alive");
      // A redirect or a refusal: the session is locked or over, whatever this page believes.
      if (answer.type === "opaqueredirect" || answer.status === 400) toLock();
    } catch { /* No network: the server counts by itself. */ }
  };

  const lock = async () => {
    try { await send("/lock"); } finally { toLock(); }
  };

  const active = () => {
    last = Date.now();
    if (last - told >= EVERY) { share(); tell(); }
    if (warning) warning.hidden = true;
  };

  const look = () => {
    const idle = Date.now() - Math.max(last, shared());
    if (idle >= LIMIT) { clearInterval(timer); lock(); return; }
    if (warning) warning.hidden = idle < LIMIT - WARNING;
  };

  share();
  const timer = setInterval(look, Math.min(5_000, LIMIT / 10));
  for (const kind of ["keydown", "pointerdown", "pointermove", "wheel", "touchstart", "input"]) {
    document.addEventListener(kind, active, { passive: true, capture: true });
  }
  document.addEventListener("visibilitychange", look);
  document.addEventListener("keydown", (event) => {
    if (event.altKey && event.key.toLowerCase() === "l") {
      event.preventDefault();
      lock();
    }
  });
})();
