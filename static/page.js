/* What htmx cannot do: keep "12 seconds ago" true, and leave when the session has ended. */
"use strict";

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function span(seconds) {
  for (const [unit, size] of UNITS) {
    const count = Math.floor(seconds / size);
    if (count >= 1) return `${count} ${unit}${count > 1 ? "s" : ""}`;
  }
  return "a moment";
}

function tell() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    time.textContent = `${span((Date.now() - Date.parse(time.dateTime)) / 1000)} ago`;
  }
}

setInterval(tell, 1000);

document.addEventListener("htmx:beforeSwap", (event) => {
  const answered = new URL(event.detail.xhr.responseURL, location.href).pathname;
  const asked = new URL(event.detail.requestConfig.path, location.href).pathname;
  if (answered !== asked) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});
