// The code of an invitation stands behind the # of its address, which browsers send to nobody: put it into the form.
"use strict";

const invitation = location.hash.slice(1);
const form = document.querySelector("[data-welcome]");
if (invitation && form) {
  form.elements.code.value = invitation;
  // The address of a shared browser's history keeps nothing of it.
  history.replaceState(null, "", location.pathname);
  form.elements.username.focus();
}
